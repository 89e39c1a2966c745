#include "cli/output/recommend_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "cli/output/answer_lines.hpp"
#include "cli/output/item_names.hpp"
#include "cli/output/text_output.hpp"
#include "core/csv_field.hpp"
#include "core/parallel.hpp"

namespace cohort {

namespace {

constexpr std::int64_t block_lists = 1024;  // that a thread writes at a time

void add_list(std::string& text, ListFormat format, std::optional<std::string_view> user, std::int64_t segment,
              std::span<const std::int64_t> items, std::span<const float> scores, std::span<const std::int32_t> known,
              const ItemNames& names) {
  const auto count = static_cast<std::size_t>(std::ranges::find(items, -1) - items.begin());
  if (format == ListFormat::csv) {
    const auto id = user ? csv_field(*user) : std::string();
    for (std::size_t i = 0; i < count; ++i) {
      fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{}\n", id, segment, i + 1, names.of(items[i]), scores[i],
                     known.empty() ? ""
                     : known[i]    ? "1"
                                   : "0");
    }
    return;
  }
  text += "{";
  if (user) text += "\"user\": " + json_string(*user) + ", ";
  text += fmt::format("\"segment\": {}, \"items\": [", segment);
  for (std::size_t i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(text), "{}{{\"item\": {}, \"score\": {}{}}}", i > 0 ? ", " : "",
                   names.of(items[i]), scores[i],
                   known.empty() ? ""
                   : known[i]    ? ", \"known\": true"
                                 : ", \"known\": false");
  }
  text += "]}\n";
}

}  // namespace

ListedSegments listed_segments(const SegmentsFile& result) {
  COHORT_CHECK(result.recommendations.has_value());
  const auto& levels = result.segments.levels;
  const auto level = static_cast<std::size_t>(result.recommendations->level);
  const bool above = level > 0 && level <= levels.size();
  const auto at = above ? level - 1 : levels.size();
  return {above ? &levels[at].recommended.value() : &result.recommendations->of_segments,
          segments_at(levels, at, result.segments.segment), numbers_at(result.segments, at)};
}

void write_recommendation_lists(const Communicator& comm, const SegmentsFile& result, ListFormat format,
                                const std::string& path) {
  COHORT_CHECK(result.recommendations.has_value());
  const auto& recommendations = *result.recommendations;
  const auto n = static_cast<std::size_t>(recommendations.count);
  ListedSegments listed;
  comm.attempt([&] { listed = listed_segments(result); });
  const auto& of_segments = *listed.lists;
  const auto& segment = listed.segment;
  const std::array<std::span<const std::int64_t>, 2> lists{recommendations.item, of_segments.item};
  const ItemNames names(comm, result.items, lists, format == ListFormat::csv ? csv_field : json_string);
  const auto& number = listed.number;
  const auto users = std::ssize(segment);
  const auto blocks = (users + block_lists - 1) / block_lists;
  std::vector<std::string> pieces;
  comm.attempt([&] {
    pieces.resize(blocks + 1);
    if (comm.is_root()) {
      if (format == ListFormat::csv) pieces[0] = "user,segment,rank,item,score,known\n";
      for (std::size_t s = 0; s * n < of_segments.item.size(); ++s) {
        add_list(pieces[0], format, std::nullopt, number_of(number, static_cast<std::int64_t>(s)),
                 std::span(of_segments.item).subspan(s * n, n), std::span(of_segments.score).subspan(s * n, n),
                 std::span(of_segments.known).subspan(s * n, n), names);
      }
    }
    for_each_in_parallel(blocks, [&](std::int64_t block) {
      for (auto u = block * block_lists; u < std::min(users, (block + 1) * block_lists); ++u) {
        const auto at = static_cast<std::size_t>(u);
        add_list(pieces[block + 1], format, result.users[u], number_of(number, segment[at]),
                 std::span(recommendations.item).subspan(at * n, n),
                 std::span(recommendations.score).subspan(at * n, n), {}, names);
      }
    });
  });
  TextOutput output(comm, path);
  std::size_t next = 0;
  output.write([&](std::string& piece) {
    piece = std::move(pieces[next++]);
    return next < pieces.size();
  });
  output.commit();
}

}  // namespace cohort
