// What becomes of the records that a RecordParser has cut.
#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "ingest/records/record_parser.hpp"

namespace cohort {

namespace {

constexpr double largest_weight = std::numeric_limits<float>::max();

}  // namespace

void RecordParser::flush() {
  const auto batch = std::span<const Record>(batch_).first(batched_);
  for (const auto& record : batch) {
    first_.prefetch_text(record.first);
    second_.prefetch_text(record.second);
  }
  auto at = pairs_.first.size();
  pairs_.first.resize(at + batched_);
  pairs_.second.resize(at + batched_);
  pairs_.weight.resize(at + batched_);
  if (pairs_.has_time) pairs_.time.resize(at + batched_);
  const auto others_before = tally_.other_parts;
  for (const auto& record : batch) {
    if (split_column_ >= 0 && record.part != *rule_.part) {
      ++tally_.other_parts;
      tally_.validation += record.part == SplitPart::validation ? 1 : 0;
      continue;
    }
    auto weight = record.weight;
    if (event_column_ >= 0) {
      if (record.event_factor == 0) {
        ++tally_.dropped_events;
        continue;
      }
      // One rounding, at the end; beyond float32's range the largest number stands, as where repeats are summed.
      weight = static_cast<float>(std::min(static_cast<double>(weight) * record.event_factor, largest_weight));
    }
    if (weight < static_cast<float>(rule_.min_weight)) {
      ++tally_.below_min_weight;
      continue;
    }
    if (rule_.drop_zero && weight == 0.0F) {
      ++tally_.zero_weight;
      continue;
    }
    pairs_.first[at] = first_.intern(record.first);
    pairs_.second[at] = second_.intern(record.second);
    pairs_.weight[at] = weight;
    if (pairs_.has_time) pairs_.time[at] = record.time;
    ++at;
  }
  pairs_.first.resize(at);
  pairs_.second.resize(at);
  pairs_.weight.resize(at);
  if (pairs_.has_time) pairs_.time.resize(at);
  tally_.records += static_cast<std::int64_t>(batched_) - (tally_.other_parts - others_before);
  batched_ = 0;
}

// Room for so many blocks to come, with as many records as the one just parsed (there were `before` records then):
// lists that double as they grow touch three times the memory, and fresh pages cost more than the parsing.
void RecordParser::make_room(double blocks_left, std::size_t before) {
  if (blocks_left <= 0) return;
  const auto records = pairs_.first.size();
  const auto last = records - before;
  const auto to_come = static_cast<std::size_t>(1.02 * blocks_left * static_cast<double>(last));
  if (pairs_.first.capacity() - records > std::min(to_come, 2 * last)) return;
  // No less than doubling: with many files, each of which asks, the copies would add up.
  const auto wanted = std::max(records + last + to_come, 2 * pairs_.first.capacity());
  pairs_.first.reserve(wanted);
  pairs_.second.reserve(wanted);
  pairs_.weight.reserve(wanted);
  if (pairs_.has_time) pairs_.time.reserve(wanted);
}

void RecordParser::keep_bad_line(std::int64_t offset, std::int64_t line, std::int64_t lines, std::string reason) {
  tally_.bad_lines += lines;
  if (lines > 1) reason += " (a record of " + std::to_string(lines) + " lines)";
  if (file_bad_lines_++ < bad_lines_reported) {
    tally_.first_bad_lines.push_back({file_, offset, line, std::move(reason)});
  }
}

}  // namespace cohort
