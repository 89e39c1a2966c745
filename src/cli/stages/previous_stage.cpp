#include "cli/stages/previous_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/output/segments_report.hpp"
#include "cli/stored_config.hpp"
#include "cluster/former.hpp"
#include "core/error.hpp"
#include "evaluate/comparison.hpp"
#include "ingest/files/sha256.hpp"
#include "store/h5.hpp"
#include "store/provenance.hpp"
#include "store/schema.hpp"
#include "store/segments_file.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

// The file that this run writes is gone when the result names it.
void refuse_own_result(const Session& session, const std::string& path) {
  session.comm().attempt([&] {
    std::error_code none;
    if (!session.comm().is_root() || !std::filesystem::equivalent(path, session.segments_path(), none)) return;
    throw InputError("segment.previous names " + path +
                     ", which this run would write over; write into another directory (output.directory)");
  });
}

const char* method_of(bool by_direction) {
  return by_direction ? "spherical" : "kmeans";
}

void refuse_other_method(const Session& session, const std::string& path) {
  const h5::Reader file(session.comm(), path);
  const bool before = by_direction(stored_config(read_provenance(file, schema::segments_kind), path));
  const bool now = by_direction(session.config());
  if (before == now) return;
  throw InputError("segment.previous names " + path + ", clustered by segment.method = \"" + method_of(before) +
                   "\", and this run clusters by \"" + method_of(now) +
                   "\": set segment.method to that of the result that it follows");
}

// Only of nested segments; there are as many levels as here, or it cannot be said which follows which.
std::vector<SegmentLevel> read_previous_levels(const Session& session, const std::string& path) {
  const auto wanted = std::ssize(session.config().segment.levels);
  if (wanted == 0) return {};
  auto levels = read_segments_file(session.comm(), path, SegmentsPart::membership).segments.levels;
  if (const auto found = std::ssize(levels) + 1; found != wanted) {
    throw InputError(fmt::format(
        "{} has {} of segments, but segment.levels has {}; set segment.levels to as many levels as the result has that "
        "it follows, or leave out segment.previous",
        path, counted(found, "level"), wanted));
  }
  return levels;
}

// How new segments are called that follow others.
struct Called {
  std::vector<std::int32_t> order;   // rows of the new segments, by their numbers
  std::vector<std::int32_t> place;   // of each row in that order
  std::vector<std::int64_t> number;  // by place
  Succession succession;             // but for users

  // previous: numbers of the previous segments, largest: that any ever had; match: of each of these the new one, or -1;
  // count: of new ones.
  Called(const std::vector<std::int64_t>& previous, std::int64_t largest, std::span<const std::int32_t> match,
         std::int64_t count) {
    succession.largest_number = largest;
    std::vector<std::int64_t> of_row(count, -1);
    for (std::size_t s = 0; s < match.size(); ++s) {
      const auto called = number_of(previous, static_cast<std::int64_t>(s));
      if (match[s] >= 0) {
        of_row[match[s]] = called;
      } else {
        succession.vanished.push_back(called);
      }
    }
    for (auto& one : of_row) {
      if (one >= 0) continue;
      one = ++succession.largest_number;
      succession.appeared.push_back(one);
    }
    order.resize(of_row.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::int32_t row) { return of_row[row]; });
    place.resize(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = static_cast<std::int32_t>(i);
      number.push_back(of_row[order[i]]);
    }
  }
};

// Fills how many of the users of both are in the segment of the same number. own: of every point the segment that its
// previous one became, -1: none. Collective.
void count_stayed(const Communicator& comm, std::span<const std::int32_t> former, std::span<const std::int32_t> own,
                  std::span<const std::int32_t> segment, Succession& succession) {
  std::int64_t common = 0;
  std::int64_t stayed = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    common += former[i] >= 0 ? 1 : 0;
    stayed += own[i] >= 0 && own[i] == segment[i] ? 1 : 0;
  }
  succession.common = comm.sum(common);
  succession.stayed = comm.sum(stayed);
}

// Of every point the segment that its previous one became.
std::vector<std::int32_t> become(std::span<const std::int32_t> former, std::span<const std::int32_t> match,
                                 const Called& called) {
  std::vector<std::int32_t> own(former.size(), -1);
  for (std::size_t i = 0; i < former.size(); ++i) {
    if (former[i] >= 0 && match[former[i]] >= 0) own[i] = called.place[match[former[i]]];
  }
  return own;
}

// Row i becomes what row order[i] was.
Matrix in_order(const Matrix& rows, std::span<const std::int32_t> order) {
  Matrix result(rows.rows(), rows.columns());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(rows.row(order[i]), rows.stride(), result.row(static_cast<std::int64_t>(i)));
  }
  return result;
}

}  // namespace

std::optional<PreviousResult> read_previous(const Session& session, const IdTable& users) {
  const auto& path = session.config().segment.previous;
  if (path.empty()) return std::nullopt;
  const auto& comm = session.comm();
  refuse_own_result(session, path);
  PreviousResult previous;
  try {
    previous.file = describe_files(comm, {path}).front();
    previous.result = read_user_segments(comm, path);
    previous.levels = read_previous_levels(session, path);
  } catch (const InputError& error) {
    throw InputError(std::string("segment.previous: ") + error.what());
  }
  refuse_other_method(session, path);
  previous.row_of = segments_by_id(comm, previous.result, users);
  const auto found = [](std::int32_t row) { return row >= 0; };
  if (comm.sum(static_cast<std::int64_t>(std::ranges::count_if(previous.row_of, found))) == 0) {
    throw InputError("segment.previous names " + path +
                     ", which has no user in common with this run; segments follow by users of the same ids");
  }
  return previous;
}

FollowingSegments follow_previous(const Session& session, const PointSet& points, KmeansOptions options,
                                  const UserSegments& previous, std::span<const std::int32_t> former) {
  const auto& comm = session.comm();
  const auto before = std::ssize(previous.size);
  const auto start = former_centres(comm, points, {former, before}, options.count, options.spherical);
  options.start = start.view();
  FollowingSegments result;
  auto& found = result.found;
  found = kmeans(comm, points, options);
  const auto flows = count_flows(comm, former, found.segment);
  std::vector<std::int32_t> own;
  comm.attempt([&] {
    const auto match = best_matching(static_cast<std::int32_t>(before), flows);
    Called called(previous.number, previous.largest_number, match, options.count);
    found.centroid = in_order(found.centroid, called.order);
    for (auto& segment : found.segment) segment = called.place[segment];
    own = become(former, match, called);
    result.was.assign(options.count, -1);
    for (std::size_t s = 0; s < match.size(); ++s) {
      if (match[s] >= 0) result.was[called.place[match[s]]] = static_cast<std::int32_t>(s);
    }
    result.number = std::move(called.number);
    result.succession = std::move(called.succession);
  });
  keep_former(comm, points, own, options.spherical, session.config().segment.stickiness, found);
  count_stayed(comm, former, own, found.segment, result.succession);
  return result;
}

std::vector<FormerGrouping> former_groupings(const PreviousResult& previous, std::span<const std::int32_t> was,
                                             double stickiness) {
  std::vector<FormerGrouping> result;
  for (const auto& level : previous.levels) {
    auto& grouping = result.emplace_back();
    grouping.stickiness = stickiness;
    for (const auto row : was) grouping.of.push_back(row < 0 ? -1 : level.of_finest[row]);
  }
  return result;
}

void follow_level(const Communicator& comm, const SegmentLevel& previous, std::span<const std::int32_t> former,
                  std::span<const std::int32_t> segment, SegmentLevel& level) {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> now;
  comm.attempt([&] {
    for (const auto row : former) before.push_back(row < 0 ? -1 : previous.of_finest[row]);
    for (const auto row : segment) now.push_back(level.of_finest[row]);
  });
  const auto flows = count_flows(comm, before, now);
  std::vector<std::int32_t> own;
  comm.attempt([&] {
    const auto count = std::ssize(previous.size);
    const auto match = best_matching(static_cast<std::int32_t>(count), flows);
    const auto largest = previous.succession ? previous.succession->largest_number : count - 1;
    Called called(previous.number, largest, match, std::ssize(level.size));
    level.centroid = in_order(level.centroid, called.order);
    for (auto& row : level.of_finest) row = called.place[row];
    for (auto& row : now) row = called.place[row];
    std::vector<std::int64_t> size;
    for (const auto row : called.order) size.push_back(level.size[row]);
    level.size = std::move(size);
    own = become(before, match, called);
    level.number = std::move(called.number);
    level.succession = std::move(called.succession);
  });
  count_stayed(comm, before, own, now, *level.succession);
}

void log_succession(const std::string& path, const Segments& segments) {
  const auto finest = segments.levels.size();
  spdlog::info("  follows {}: {} of both, {} in the segment of the same number", path,
               counted(segments.succession->common, "user"), with_commas(segments.succession->stayed));
  for (std::size_t n = 0; n <= finest; ++n) {
    const auto& succession = n == finest ? *segments.succession : *segments.levels[n].succession;
    const auto level = finest == 0 ? std::string() : fmt::format("level {}: ", n + 1);
    if (n < finest) {
      spdlog::info("  {}{} in the segment of the same number", level, counted(succession.stayed, "user"));
    }
    if (!succession.appeared.empty()) {
      spdlog::info("  {}new segments: {}", level, list_of_numbers(succession.appeared));
    }
    if (!succession.vanished.empty()) {
      spdlog::info("  {}segments that are gone: {}", level, list_of_numbers(succession.vanished));
    }
  }
}

}  // namespace cohort
