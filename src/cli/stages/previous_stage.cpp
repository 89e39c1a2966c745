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

// Rows of the new segments in the order of their numbers.
std::vector<std::int32_t> rows_by_number(const std::vector<std::int64_t>& number) {
  std::vector<std::int32_t> order(number.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::int32_t a, std::int32_t b) { return number[a] < number[b]; });
  return order;
}

// Row i becomes what row order[i] was. Local.
void reorder(std::span<const std::int32_t> order, KmeansResult& found) {
  std::vector<std::int32_t> place(order.size());
  Matrix centroid(found.centroid.rows(), found.centroid.columns());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = static_cast<std::int32_t>(i);
    std::copy_n(found.centroid.row(order[i]), centroid.stride(), centroid.row(static_cast<std::int64_t>(i)));
  }
  found.centroid = std::move(centroid);
  for (auto& segment : found.segment) segment = place[segment];
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
  auto& succession = result.succession;
  succession.largest_number = previous.largest_number;
  std::vector<std::int32_t> own;  // of every point: the segment that its previous one became; -1: none
  comm.attempt([&] {
    const auto match = best_matching(static_cast<std::int32_t>(before), flows);
    std::vector<std::int64_t> number(options.count, -1);
    for (std::size_t s = 0; s < match.size(); ++s) {
      const auto called = number_of(previous.number, static_cast<std::int64_t>(s));
      if (match[s] >= 0) {
        number[match[s]] = called;
      } else {
        succession.vanished.push_back(called);
      }
    }
    for (auto& one : number) {
      if (one >= 0) continue;
      one = ++succession.largest_number;
      succession.appeared.push_back(one);
    }
    const auto order = rows_by_number(number);
    reorder(order, found);
    std::vector<std::int32_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = static_cast<std::int32_t>(i);
      result.number.push_back(number[order[i]]);
    }
    own.assign(former.size(), -1);
    for (std::size_t i = 0; i < former.size(); ++i) {
      if (former[i] >= 0 && match[former[i]] >= 0) own[i] = place[match[former[i]]];
    }
  });
  keep_former(comm, points, own, options.spherical, session.config().segment.stickiness, found);
  std::int64_t common = 0;
  std::int64_t stayed = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    common += former[i] >= 0 ? 1 : 0;
    stayed += own[i] >= 0 && own[i] == found.segment[i] ? 1 : 0;
  }
  succession.common = comm.sum(common);
  succession.stayed = comm.sum(stayed);
  return result;
}

void log_succession(const std::string& path, const Succession& succession) {
  spdlog::info("  follows {}: {} of both, {} in the segment of the same number", path,
               counted(succession.common, "user"), with_commas(succession.stayed));
  if (!succession.appeared.empty()) spdlog::info("  new segments: {}", list_of_numbers(succession.appeared));
  if (!succession.vanished.empty()) spdlog::info("  segments that are gone: {}", list_of_numbers(succession.vanished));
}

}  // namespace cohort
