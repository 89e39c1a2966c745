#include "cli/output/recommend_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "cli/output/rank_order.hpp"
#include "core/csv_field.hpp"
#include "core/parallel.hpp"
#include "data/id_fetch.hpp"

namespace cohort {

namespace {

constexpr std::int64_t block_lists = 1024;  // that a thread writes at a time

std::string json_string(std::string_view id) {
  return nlohmann::json(std::string(id)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The ids of all items that this rank writes, ready for the format.
struct ItemNames {
  std::vector<std::int64_t> number;  // ascending
  std::vector<std::string> name;

  const std::string& of(std::int64_t item) const {
    return name[static_cast<std::size_t>(std::ranges::lower_bound(number, item) - number.begin())];
  }
};

ItemNames names_of(const Communicator& comm, const SegmentsFile& result, ListFormat format) {
  ItemNames names;
  comm.attempt([&] {
    const auto& recommendations = *result.recommendations;
    std::vector<char> wanted(static_cast<std::size_t>(result.items.total()), 0);
    for (const auto* list : {&recommendations.item, &recommendations.segment_item}) {
      for (const auto item : *list) {
        if (item >= 0) wanted[static_cast<std::size_t>(item)] = 1;
      }
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) names.number.push_back(static_cast<std::int64_t>(i));
    }
  });
  const auto ids = fetch_ids(comm, result.items, names.number);
  comm.attempt([&] {
    for (std::int64_t i = 0; i < ids.block_size(); ++i) {
      names.name.push_back(format == ListFormat::csv ? csv_field(ids[i]) : json_string(ids[i]));
    }
  });
  return names;
}

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

void write_recommendation_lists(const Communicator& comm, const SegmentsFile& result, ListFormat format,
                                const std::string& path) {
  COHORT_CHECK(result.recommendations.has_value());
  const auto& recommendations = *result.recommendations;
  const auto n = static_cast<std::size_t>(recommendations.count);
  const auto names = names_of(comm, result, format);
  const auto& segment = result.segments.segment;
  const auto users = std::ssize(segment);
  const auto blocks = (users + block_lists - 1) / block_lists;
  std::vector<std::string> pieces;
  comm.attempt([&] {
    pieces.resize(static_cast<std::size_t>(blocks) + 1);
    if (comm.is_root()) {
      if (format == ListFormat::csv) pieces[0] = "user,segment,rank,item,score,known\n";
      for (std::size_t s = 0; s < result.segments.size.size(); ++s) {
        add_list(pieces[0], format, std::nullopt, static_cast<std::int64_t>(s),
                 std::span(recommendations.segment_item).subspan(s * n, n),
                 std::span(recommendations.segment_score).subspan(s * n, n),
                 std::span(recommendations.segment_known).subspan(s * n, n), names);
      }
    }
    for_each_in_parallel(blocks, [&](std::int64_t block) {
      for (auto u = block * block_lists; u < std::min(users, (block + 1) * block_lists); ++u) {
        const auto at = static_cast<std::size_t>(u);
        add_list(pieces[static_cast<std::size_t>(block) + 1], format, result.users[u], segment[at],
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
