#include "profile/additions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/ragged.hpp"
#include "core/words.hpp"
#include "profile/profile_parts.hpp"

namespace cohort {

namespace {

// Rows of a table, without times, which no part of this looks at.
PairTable rows_of(const PairTable& table, std::span<const std::int64_t> rows) {
  PairTable result;
  for (const auto row : rows) {
    for (const auto i : places_of(table.row_begin, row)) {
      result.other.push_back(table.other[i]);
      result.weight.push_back(table.weight[i]);
    }
    result.row_begin.push_back(result.size());
  }
  return result;
}

AttributeTable rows_of(const AttributeTable& table, std::span<const std::int64_t> rows) {
  AttributeTable result;
  for (const auto& attribute : table.numeric) {
    auto& column = result.numeric.emplace_back(NumericAttribute{attribute.name, {}});
    for (const auto row : rows) column.value.push_back(attribute.value[row]);
  }
  for (const auto& attribute : table.category) {
    auto& column = result.category.emplace_back();
    column.name = attribute.name;
    column.categories = attribute.categories;
    for (const auto row : rows) {
      for (const auto i : places_of(attribute.row_begin, row)) column.category.push_back(attribute.category[i]);
      column.row_begin.push_back(std::ssize(column.category));
    }
  }
  return result;
}

// Users of one segment as a population of their own. What the whole population knows of items stays as it is.
class Part {
 public:
  explicit Part(const ProfileInput& input) : input_(input) {
    dataset_.items = input.dataset->items;
    dataset_.users_alone = input.dataset->users_alone;
  }

  /// rows: of this rank's users. Collective.
  void take(const Communicator& comm, std::span<const std::int64_t> rows) {
    const auto counts = comm.all_gather(std::ssize(rows));
    comm.attempt([&] {
      std::vector<std::int64_t> begin{0};
      for (const auto count : counts) begin.push_back(begin.back() + count);
      dataset_.users.distribution = Distribution(std::move(begin));
      dataset_.users.begin.assign(rows.size() + 1, 0);  // nobody asks for their ids
      dataset_.interactions = rows_of(input_.dataset->interactions, rows);
      dataset_.holdout = rows_of(input_.dataset->holdout, rows);
      if (input_.user_attributes) users_ = rows_of(*input_.user_attributes, rows);
    });
  }
  ProfileInput input(const Segments& segments, const std::string& whole) const {
    auto result = input_;
    result.dataset = &dataset_;
    result.segments = &segments;
    if (input_.user_attributes) result.user_attributes = &users_;
    result.whole = whole;
    return result;
  }

 private:
  const ProfileInput& input_;
  Dataset dataset_;
  AttributeTable users_;
};

// Appends the rows of one segment; rows without tests get the values of one that nothing was held out for.
void append(const MarkTable& from, std::int64_t segment, MarkTable& to) {
  const auto places = places_of(from.row_begin, segment);
  const auto add = [&](const auto& source, auto& target) {
    if (source.empty()) return;
    target.insert(target.end(), source.begin() + places.first, source.begin() + places.last);
  };
  const auto rows_before = to.rows();
  add(from.item, to.item);
  add(from.attribute, to.attribute);
  add(from.name, to.name);
  add(from.count, to.count);
  add(from.population, to.population);
  add(from.share, to.share);
  add(from.population_share, to.population_share);
  add(from.lift, to.lift);
  if (!from.marking.empty()) {
    // What came before was not tested.
    to.held_out.resize(rows_before);
    to.held_out_total.resize(rows_before);
    to.expected.resize(rows_before);
    to.p_value.resize(rows_before, 1.0);
    to.marking.resize(rows_before);
    add(from.held_out, to.held_out);
    add(from.held_out_total, to.held_out_total);
    add(from.expected, to.expected);
    add(from.p_value, to.p_value);
    add(from.marking, to.marking);
  } else if (!to.marking.empty()) {
    const auto rows = rows_before + places.size();
    to.held_out.resize(rows);
    to.held_out_total.resize(rows);
    to.expected.resize(rows);
    to.p_value.resize(rows, 1.0);
    to.marking.resize(rows);
  }
  to.row_begin.push_back(rows_before + places.size());
}

}  // namespace

Additions profile_additions(const Communicator& comm, const ProfileInput& input, const LevelPair& levels,
                            const ProfileConfig& options) {
  const auto count = std::ssize(levels.size);
  const auto parents = 1 + std::int64_t{*std::ranges::max_element(levels.parent)};
  std::vector<std::vector<std::int64_t>> users;     // of this rank, by parent
  std::vector<std::vector<std::int32_t>> children;  // by parent, ascending
  std::vector<std::int32_t> place;                  // of each segment among its parent's
  std::vector<Profiles> found(parents);
  comm.attempt([&] {
    users.resize(parents);
    children.resize(parents);
    for (std::int64_t s = 0; s < count; ++s) {
      auto& siblings = children[levels.parent[s]];
      place.push_back(static_cast<std::int32_t>(siblings.size()));
      siblings.push_back(static_cast<std::int32_t>(s));
    }
    for (std::int64_t user = 0; user < std::ssize(levels.segment); ++user) {
      users[levels.parent[levels.segment[user]]].push_back(user);
    }
  });
  Part part(input);
  for (std::int64_t parent = 0; parent < parents; ++parent) {
    if (children[parent].size() < 2) continue;
    part.take(comm, users[parent]);
    Segments segments;
    comm.attempt([&] {
      for (const auto s : children[parent]) segments.size.push_back(levels.size[s]);
      for (const auto user : users[parent]) segments.segment.push_back(place[levels.segment[user]]);
    });
    const auto among =
        part.input(segments, fmt::format("segment {} of level {}", levels.number_of_parent(parent), levels.level));
    auto& profiles = found[parent];
    profile_activity(comm, among, profiles);
    profile_tastes(comm, among, options, profiles);
    profile_user_attributes(comm, among, options, profiles);
    describe_segments(among, profiles);
  }
  Additions additions;
  comm.attempt([&] {
    for (std::int64_t s = 0; s < count; ++s) {
      const auto parent = levels.parent[s];
      if (children[parent].size() < 2) {
        additions.description.push_back(fmt::format("{}, all of segment {} of level {}",
                                                    counted(levels.size[s], "user"), levels.number_of_parent(parent),
                                                    levels.level));
        for (auto* table : {&additions.items, &additions.categories, &additions.user_categories}) {
          table->row_begin.push_back(table->rows());
        }
        continue;
      }
      const auto& profiles = found[parent];
      append(profiles.items, place[s], additions.items);
      append(profiles.categories, place[s], additions.categories);
      append(profiles.user_categories, place[s], additions.user_categories);
      additions.description.push_back(profiles.description[place[s]]);
    }
  });
  return additions;
}

}  // namespace cohort
