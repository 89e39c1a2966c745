#include "cli/output/profile_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/output/report.hpp"
#include "core/csv_field.hpp"
#include "core/ragged.hpp"
#include "core/utf8.hpp"
#include "data/id_names.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t shown_rows = 5;  // of a list, to a person

// What a segment is called.
std::int64_t called(const SegmentsFile& result, std::size_t row) {
  return number_of(result.segments.number, static_cast<std::int64_t>(row));
}

// Calls take(row) for every row of a segment.
template <class Table, class Take>
void each_row(const Table& table, std::size_t segment, Take take) {
  for (const auto row : places_of(table.row_begin, segment)) take(row);
}

// Ids of the listed users, in the order of the list.
std::vector<std::string> user_ids(const Communicator& comm, const SegmentsFile& result, const SegmentList& list) {
  return texts_of(comm, result.users.distribution, list.id, [&](std::int64_t i) { return result.users[i]; });
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json marks(const MarkTable& table, std::size_t segment, const std::vector<std::string>& ids) {
  auto list = Json::array();
  each_row(table, segment, [&](std::size_t row) {
    Json mark;
    if (!ids.empty()) mark["id"] = ids[row];
    if (!table.attribute.empty()) mark["attribute"] = table.attribute[row];
    mark["name"] = table.name[row];
    mark["count"] = table.count[row];
    mark["share"] = table.share[row];
    mark["population_share"] = table.population_share[row];
    mark["lift"] = table.lift[row];
    if (!table.marking.empty()) {
      mark["held_out"] = table.held_out[row];
      mark["expected"] = table.expected[row];
      mark["p_value"] = table.p_value[row];
      mark["marking"] = table.marking[row] != 0;
    }
    list.push_back(std::move(mark));
  });
  return list;
}

Json people(const SegmentList& list, std::size_t segment, const std::vector<std::string>& ids, const char* value) {
  auto rows = Json::array();
  each_row(list, segment, [&](std::size_t row) { rows.push_back({{"user", ids[row]}, {value, list.value[row]}}); });
  return rows;
}

Json numeric_json(const NumericProfiles& numeric, std::size_t segment) {
  auto rows = Json::array();
  for (std::size_t a = 0; a < numeric.name.size(); ++a) {
    const auto place = segment * numeric.name.size() + a;
    rows.push_back({{"attribute", numeric.name[a]},
                    {"users", numeric.users[place]},
                    {"mean", number(numeric.mean[place])},
                    {"population_mean", number(numeric.population_mean[a])},
                    {"deviation", number(numeric.deviation[place])}});
  }
  return rows;
}

std::string csv_lines(const char* kind, const MarkTable& table, std::size_t segment, std::int64_t called) {
  std::string text;
  each_row(table, segment, [&](std::size_t row) {
    text += fmt::format("{},{},{},{},{},{},{},{}", called, kind,
                        table.attribute.empty() ? "" : csv_field(table.attribute[row]), csv_field(table.name[row]),
                        table.count[row], table.share[row], table.population_share[row], table.lift[row]);
    text += table.marking.empty() ? ",,,,\n"
                                  : fmt::format(",{},{},{},{}\n", table.held_out[row], table.expected[row],
                                                table.p_value[row], table.marking[row]);
  });
  return text;
}

std::string table_lines(const MarkTable& table, std::size_t segment) {
  std::string text;
  std::string last;
  std::size_t shown = 0;
  each_row(table, segment, [&](std::size_t row) {
    // The first of every attribute.
    if (!table.attribute.empty() && std::exchange(last, table.attribute[row]) != table.attribute[row]) shown = 0;
    if (++shown > shown_rows) return;
    const auto name = table.attribute.empty() ? table.name[row] : table.attribute[row] + ": " + table.name[row];
    text += fmt::format("  {} {:<40} {:>10} {:>7.1f} % {:>8.2f}x\n",
                        !table.marking.empty() && table.marking[row] != 0 ? '*' : ' ', one_line(name),
                        with_commas(table.count[row]), 100 * table.share[row], table.lift[row]);
  });
  return text;
}

}  // namespace

std::string profile_table(const Communicator& comm, const SegmentsFile& result) {
  const auto& profiles = *result.profiles;
  const auto representative = user_ids(comm, result, profiles.representative);
  std::string text;
  for (std::size_t s = 0; s < profiles.description.size(); ++s) {
    text += fmt::format("segment {}: {}\n", called(result, s), one_line(profiles.description[s]));
    text +=
        table_lines(profiles.items, s) + table_lines(profiles.categories, s) + table_lines(profiles.user_categories, s);
    std::string near;
    each_row(profiles.nearest, s,
             [&](std::size_t row) { near += fmt::format(" {}", called(result, profiles.nearest.id[row])); });
    if (!near.empty()) text += "    nearest segments:" + near + "\n";
    std::string users;
    each_row(profiles.representative, s,
             [&](std::size_t row) { users += fmt::format(" {}", one_line(representative[row])); });
    if (!users.empty()) text += "    typical users:" + users + "\n";
    if (!profiles.social_inside.empty()) {
      text += fmt::format("    friends: {:.3g} of the pairs inside, {:.3g} of those with others\n",
                          profiles.social_inside[s], profiles.social_outside[s]);
    }
  }
  text += "columns: users (categories of items: interactions), share of the segment, lift\n";
  text +=
      profiles.tested[0] > 0
          ? fmt::format("* marks the segment: more than chance among held-out interactions (false discovery rate {})\n",
                        profiles.false_discovery_rate[0])
          : "nothing was tested on held-out interactions, so nothing is said to mark a segment\n";
  return text;
}

Json profile_json(const Communicator& comm, const SegmentsFile& result) {
  const auto& profiles = *result.profiles;
  const auto representative = user_ids(comm, result, profiles.representative);
  const auto border = user_ids(comm, result, profiles.border);
  const auto items =
      texts_of(comm, result.items.distribution, profiles.items.item, [&](std::int64_t i) { return result.items[i]; });
  Json json;
  json["tested"] = {{"items", profiles.tested[0]}, {"categories", profiles.tested[1]}};
  json["false_discovery_rate"] = profiles.false_discovery_rate[0];
  json["segments"] = Json::array();
  for (std::size_t s = 0; s < profiles.description.size(); ++s) {
    Json segment;
    segment["segment"] = called(result, s);
    segment["description"] = profiles.description[s];
    segment["users"] = result.segments.size[s];
    segment["interactions"] = profiles.interactions[s];
    segment["mean_interactions"] = profiles.mean_interactions[s];
    segment["median_interactions"] = number(profiles.median_interactions[s]);
    segment["distinct_items"] = profiles.distinct_items[s];
    if (!profiles.first_time.empty()) {
      segment["time"] = {{"first", number(profiles.first_time[s])},
                         {"last", number(profiles.last_time[s])},
                         {"median_last", number(profiles.median_last_time[s])}};
    }
    if (!profiles.social_inside.empty()) {
      segment["social"] = {{"inside", profiles.social_inside[s]}, {"outside", profiles.social_outside[s]}};
    }
    segment["items"] = marks(profiles.items, s, items);
    segment["categories"] = marks(profiles.categories, s, {});
    segment["user_categories"] = marks(profiles.user_categories, s, {});
    segment["user_numbers"] = numeric_json(profiles.numeric, s);
    segment["nearest"] = Json::array();
    each_row(profiles.nearest, s, [&](std::size_t row) {
      segment["nearest"].push_back(
          {{"segment", called(result, profiles.nearest.id[row])}, {"distance", profiles.nearest.value[row]}});
    });
    segment["representative"] = people(profiles.representative, s, representative, "distance");
    segment["border"] = people(profiles.border, s, border, "margin");
    json["segments"].push_back(std::move(segment));
  }
  return json;
}

std::string profile_csv(const SegmentsFile& result) {
  const auto& profiles = *result.profiles;
  std::string text =
      "segment,kind,attribute,name,count,share,population_share,lift,held_out,expected,p_value,marking\n";
  for (std::size_t s = 0; s < profiles.description.size(); ++s) {
    text += fmt::format("{},segment,,{},{},,,,,,,\n", called(result, s), csv_field(profiles.description[s]),
                        result.segments.size[s]);
    text += csv_lines("item", profiles.items, s, called(result, s));
    text += csv_lines("category", profiles.categories, s, called(result, s));
    text += csv_lines("user_category", profiles.user_categories, s, called(result, s));
  }
  return text;
}

}  // namespace cohort
