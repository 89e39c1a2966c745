// What the users of a segment take more than others do: items and the categories of items, and which of them mark it.
#include <numeric>

#include "core/ragged.hpp"
#include "data/id_names.hpp"
#include "profile/marking.hpp"
#include "profile/profile_parts.hpp"

namespace cohort {

namespace {

void name_items(const Communicator& comm, const ProfileInput& input, MarkTable& items) {
  const auto& ids = input.dataset->items;
  const auto* attributes = input.item_attributes;
  items.name = texts_of(comm, ids.distribution, items.item, [&](std::int64_t i) -> std::string_view {
    if (attributes && !attributes->label.empty() && !attributes->label[i].empty()) {
      return attributes->label[i];
    }
    return ids[i];
  });
}

// The categories of all attributes in one table; within a segment attribute after attribute.
struct Categories {
  std::vector<LiftRows> listed;                    // by attribute
  std::vector<std::vector<HoldoutCounts>> counts;  // of their rows; empty where nothing is held out
};

void fill_categories(const ProfileInput& input, const Categories& found, const LiftBase& base, MarkTable& table,
                     std::vector<HoldoutCounts>& counts) {
  table.row_begin.assign(1, 0);
  for (std::int64_t s = 0; s < std::ssize(base.of_segment); ++s) {
    for (std::size_t a = 0; a < found.listed.size(); ++a) {
      const auto& rows = found.listed[a];
      const auto& attribute = input.item_attributes->category[a];
      add_lift_rows(rows, base, s, table);
      for (const auto i : places_of(rows.row_begin, s)) {
        table.attribute.push_back(attribute.name);
        table.name.push_back(attribute.categories[rows.rows[i].feature]);
        if (!found.counts.empty()) counts.push_back(found.counts[a][i]);
      }
    }
    table.row_begin.push_back(std::ssize(table.lift));
  }
}

}  // namespace

void profile_tastes(const Communicator& comm, const ProfileInput& input, const ProfileConfig& options,
                    Profiles& profiles) {
  const auto& dataset = *input.dataset;
  const auto& segments = *input.segments;
  const auto count = std::ssize(segments.size);
  profiles.distinct_items.assign(count, 0);
  profiles.items.row_begin.assign(count + 1, 0);
  profiles.categories.row_begin.assign(count + 1, 0);
  profiles.tested = {0, 0};
  if (!dataset.has_items()) return;

  const auto by_item = tally_items(comm, dataset.interactions, segments.segment, dataset.items.distribution, count);
  for (const auto s : by_item.segment) ++profiles.distinct_items[s];
  comm.sum_in_place(std::span<std::int64_t>(profiles.distinct_items));

  auto& items = profiles.items;
  const LiftBase users{segments.size, dataset.users.total()};
  const auto listed = highest_lift(comm, by_item, users, options);
  items.row_begin = listed.row_begin;
  for (std::int64_t s = 0; s < count; ++s) add_lift_rows(listed, users, s, items);
  for (const auto& row : listed.rows) items.item.push_back(row.feature);
  name_items(comm, input, items);

  Categories categories;
  const LiftBase interactions{profiles.interactions, std::accumulate(profiles.interactions.begin(),
                                                                     profiles.interactions.end(), std::int64_t{0})};
  if (input.item_attributes) {
    for (const auto& attribute : input.item_attributes->category) {
      categories.listed.push_back(
          highest_lift(comm, tally_categories(comm, by_item, attribute, count), interactions, options));
    }
  }

  std::vector<HoldoutCounts> item_counts;
  if (comm.any(dataset.holdout.size() > 0)) {
    const HoldoutModel model(comm, dataset, segments.segment, count, by_item);
    item_counts = count_items(comm, model, items, segments.segment);
    test_rows(item_counts, model.total(), options.false_discovery_rate, items);
    std::vector<HoldoutCounts> category_counts;
    for (std::size_t a = 0; a < categories.listed.size(); ++a) {
      const auto& rows = categories.listed[a];
      std::vector<CategoryCandidate> candidates;
      for (std::int64_t s = 0; s < count; ++s) {
        for (const auto i : places_of(rows.row_begin, s)) {
          candidates.push_back({s, static_cast<std::int32_t>(rows.rows[i].feature)});
        }
      }
      categories.counts.push_back(
          count_categories(comm, model, input.item_attributes->category[a], candidates, segments.segment, count));
    }
    fill_categories(input, categories, interactions, profiles.categories, category_counts);
    test_rows(category_counts, model.total(), options.false_discovery_rate, profiles.categories);
    profiles.tested = {items.rows(), profiles.categories.rows()};
  } else {
    std::vector<HoldoutCounts> none;
    fill_categories(input, categories, interactions, profiles.categories, none);
  }
}

}  // namespace cohort
