#include "ingest/records/reading_checks.hpp"

#include <algorithm>
#include <optional>

#include "core/utf8.hpp"
#include "ingest/records/field_shape.hpp"

namespace cohort {

namespace {

// Fewer records say nothing of how often ids occur.
constexpr std::int64_t fewest_records = 5;
constexpr std::size_t longest_name = 64;
// Each takes a pass over the records.
constexpr std::size_t most_files_checked = 8;

struct FirstLine {
  const OpenedFile* file;
  std::string first, second;
};

// Those that may be headers.
std::vector<FirstLine> wordy_first_lines(const std::vector<OpenedFile>& files) {
  std::vector<FirstLine> lines;
  for (const auto& file : files) {
    if (lines.size() == most_files_checked) break;
    const auto& sample = file.notes.sample;
    const auto a = static_cast<std::size_t>(file.layout.first);
    const auto b = static_cast<std::size_t>(file.layout.second);
    if (!file.notes.header.empty() || std::max(a, b) >= sample.size()) continue;
    const std::string first(trimmed(sample[a]));
    const std::string second(trimmed(sample[b]));
    if (first == second || !is_words(first) || !is_words(second) ||
        std::max(first.size(), second.size()) > longest_name)
      continue;
    lines.push_back({&file, first, second});
  }
  return lines;
}

}  // namespace

std::vector<std::string> warn_of_headers(const Communicator& comm, const std::vector<OpenedFile>& files,
                                         const LayoutRequest& request, const LocalPairs& pairs, const IdInterner& first,
                                         const IdInterner& second) {
  // The user said that there is none.
  if (request.header == false || request.role == FileRole::labels) return {};
  const auto lines = wordy_first_lines(files);
  const bool social = request.role == FileRole::social;
  std::vector<std::int64_t> counts(2 * lines.size(), 0);  // records that hold both ids, and that hold one of them
  comm.attempt([&] {
    for (std::size_t l = 0; l < lines.size(); ++l) {
      const auto a = first.find(lines[l].first);
      const auto b = second.find(lines[l].second);
      for (std::size_t i = 0; (a || b) && i < pairs.first.size(); ++i) {
        // Friends may stand in either column.
        const bool has_a = a == pairs.first[i] || (social && a == pairs.second[i]);
        const bool has_b = b == pairs.second[i] || (social && b == pairs.first[i]);
        counts[2 * l] += has_a && has_b ? 1 : 0;
        counts[2 * l + 1] += has_a != has_b ? 1 : 0;
      }
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(counts));
  std::vector<std::string> warnings;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    if (counts[2 * l] == 0 || counts[2 * l + 1] > 0) continue;
    warnings.push_back(
        lines[l].file->path + ": its first line was read as a record, but " + quoted(lines[l].first) + " and " +
        quoted(lines[l].second) + " occur in no other; if it names the columns, " +
        (request.settable ? "set input.header = true (false: it is a record)" : "call them user and item"));
  }
  return warnings;
}

std::vector<std::string> warn_of_singles(std::int64_t records, std::int64_t users, std::int64_t items) {
  std::vector<std::string> warnings;
  const auto add = [&](const std::string& what) {
    warnings.push_back("every " + what + " occurs in one record only, of " + std::to_string(records) +
                       "; if its column holds something else, set input.columns." + what);
  };
  if (records >= fewest_records && users == records) add("user");
  if (records >= fewest_records && items == records) add("item");
  return warnings;
}

}  // namespace cohort
