// Populations with segments, known whole on every rank, for the tests of profiles and explanations.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.hpp"
#include "ingest/records/attribute_file.hpp"
#include "profile/profile.hpp"
#include "result/segments.hpp"

namespace cohort::testing_support {

struct Town {
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::int64_t segments = 0;
  std::vector<std::map<std::int64_t, double>> trained;      // by user: item, time
  std::vector<std::vector<std::int64_t>> held_out;          // by user, ascending; -1 first
  std::set<std::pair<std::int64_t, std::int64_t>> friends;  // a < b
  std::vector<std::int32_t> segment;
  std::vector<std::vector<std::int32_t>> item_categories;  // genre, by item; empty: no attributes
  std::vector<std::vector<std::int32_t>> user_categories;  // occupation, by user
  std::vector<double> age;                                 // NaN: not known
  bool times = false;

  static std::string name(const char* kind, std::int64_t number) {
    return std::string(kind).append(std::to_string(number));
  }

  std::vector<std::int64_t> sizes() const {
    std::vector<std::int64_t> size(segments, 0);
    for (const auto s : segment) ++size[s];
    return size;
  }
};

/// This rank's part of a town whose users and items stand in the given blocks.
struct TownPart {
  Dataset dataset;
  Segments segments;
  AttributeTable item_attributes;
  AttributeTable user_attributes;
};

inline CategoryAttribute categories_of(const std::string& name, std::int32_t count, const char* kind,
                                       const std::vector<std::vector<std::int32_t>>& of, const Distribution& blocks,
                                       int rank) {
  CategoryAttribute attribute;
  attribute.name = name;
  for (std::int32_t c = 0; c < count; ++c) attribute.categories.push_back(Town::name(kind, c));
  for (auto i = blocks.begin(rank); i < blocks.end(rank); ++i) {
    attribute.category.insert(attribute.category.end(), of[i].begin(), of[i].end());
    attribute.row_begin.push_back(std::ssize(attribute.category));
  }
  return attribute;
}

inline TownPart part_of(const Town& town, const Distribution& users, const Distribution& items, int rank) {
  TownPart part;
  auto& data = part.dataset;
  data.users.distribution = users;
  data.items.distribution = items;
  for (auto i = items.begin(rank); i < items.end(rank); ++i) data.items.push_back(Town::name("i", i));
  std::map<std::int64_t, std::set<std::int64_t>> friends;
  for (const auto& [a, b] : town.friends) {
    friends[a].insert(b);
    friends[b].insert(a);
  }
  for (auto u = users.begin(rank); u < users.end(rank); ++u) {
    data.users.push_back(Town::name("u", u));
    for (const auto& [item, time] : town.trained[u]) {
      data.interactions.other.push_back(item);
      if (town.times) data.interactions.time.push_back(time);
    }
    data.interactions.row_begin.push_back(data.interactions.size());
    data.holdout.other.insert(data.holdout.other.end(), town.held_out[u].begin(), town.held_out[u].end());
    data.holdout.row_begin.push_back(data.holdout.size());
    data.social.other.insert(data.social.other.end(), friends[u].begin(), friends[u].end());
    data.social.row_begin.push_back(data.social.size());
    part.segments.segment.push_back(town.segment[u]);
    // Distances and margins with many ties.
    part.segments.distance.push_back(static_cast<float>(u * 7 % 5));
    part.segments.margin.push_back(static_cast<float>(u * 3 % 4));
  }
  data.interactions.weight.assign(data.interactions.other.size(), 1.0F);
  data.holdout.weight.assign(data.holdout.other.size(), 1.0F);
  data.social.weight.assign(data.social.other.size(), 1.0F);
  part.segments.size = town.sizes();
  part.segments.centroid = Matrix(town.segments, 10);
  for (std::int64_t s = 0; s < town.segments; ++s) {
    for (std::int64_t j = 0; j < 10; ++j) part.segments.centroid.row(s)[j] = static_cast<float>((s * s + j) % 7);
  }
  if (!town.item_categories.empty()) {
    part.item_attributes.category.push_back(categories_of("genre", 4, "g", town.item_categories, items, rank));
    for (auto i = items.begin(rank); i < items.end(rank); ++i) {
      part.item_attributes.label.push_back(i % 2 == 0 ? "" : Town::name("The ", i));
    }
  }
  if (!town.user_categories.empty()) {
    part.user_attributes.category.push_back(categories_of("occupation", 3, "o", town.user_categories, users, rank));
    part.user_attributes.numeric.push_back({"age", {}});
    for (auto u = users.begin(rank); u < users.end(rank); ++u) {
      part.user_attributes.numeric[0].value.push_back(town.age[u]);
    }
  }
  return part;
}

/// Users draw different items by popularity 1 / (rank + 1), from `preferred` ones of their segment (item mod segments)
/// in a share `taste` of draws; activity falls with the user's number. A fifth of each user's is held out.
/// by_activity: segments of users of like activity; else user mod segments.
inline Town drawn_town(std::int64_t users, std::int64_t items, std::int64_t segments, double taste, bool by_activity,
                       unsigned seed) {
  Town town;
  town.users = users;
  town.items = items;
  town.segments = segments;
  std::mt19937 random(seed);
  const auto uniform = [&] { return static_cast<double>(random()) / 4294967296.0; };
  std::vector<double> popularity;
  for (std::int64_t i = 0; i < items; ++i) {
    popularity.push_back(1 / static_cast<double>(i + 1) + (popularity.empty() ? 0 : popularity.back()));
  }
  for (std::int64_t u = 0; u < users; ++u) {
    const auto segment = by_activity ? u * segments / users : u % segments;
    town.segment.push_back(static_cast<std::int32_t>(segment));
    const auto wanted =
        by_activity ? 3 + static_cast<std::int64_t>(5000 / std::pow(static_cast<double>(u + 1), 0.8)) : 20;
    const auto activity = std::min(items / 3, wanted);
    std::set<std::int64_t> own;
    while (std::ssize(own) < activity) {
      const auto drawn = std::ranges::lower_bound(popularity, uniform() * popularity.back()) - popularity.begin();
      const bool by_taste = uniform() < taste;
      own.insert(std::min(items - 1, by_taste ? drawn / segments * segments + segment : drawn));
    }
    town.trained.emplace_back();
    town.held_out.emplace_back();
    for (const auto item : own) {
      if (uniform() < 0.2) {
        town.held_out.back().push_back(item);
      } else {
        town.trained.back()[item] = 0;
      }
    }
  }
  return town;
}

inline const Communicator& world() {
  static const Communicator comm = Communicator::world();
  return comm;
}

inline Profiles profile(const TownPart& part, const ProfileConfig& options) {
  ProfileInput input{&part.dataset, &part.segments};
  if (!part.item_attributes.category.empty()) input.item_attributes = &part.item_attributes;
  if (!part.user_attributes.category.empty()) input.user_attributes = &part.user_attributes;
  return profile_segments(world(), input, options);
}

inline Profiles profile(const Town& town, const ProfileConfig& options = {}) {
  const auto ranks = world().size();
  return profile(
      part_of(town, Distribution::even(town.users, ranks), Distribution::even(town.items, ranks), world().rank()),
      options);
}

// Everything there is, with an isolated user, an item that nobody has, an empty segment, and held-out pairs that must
// not count.
inline Town full_town() {
  Town town;
  town.users = 61;
  town.items = 23;
  town.segments = 4;
  town.times = true;
  std::mt19937 random(3);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(bound));
  };
  for (std::int64_t u = 0; u < town.users; ++u) {
    town.segment.push_back(static_cast<std::int32_t>(u % 3 == 0 ? 3 : u % 2));
    town.trained.emplace_back();
    town.held_out.emplace_back();
    town.age.push_back(u % 7 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(20 + below(40)));
    town.user_categories.emplace_back();
    if (u % 5 != 0) town.user_categories.back().push_back(static_cast<std::int32_t>(below(3)));
    if (u == 17) continue;
    for (std::int64_t i = 0; i < 8; ++i)
      town.trained.back()[below(town.items - 1)] = static_cast<double>(below(1000)) - 300;
    std::set<std::int64_t> held;
    for (std::int64_t i = 0; i < 3; ++i) held.insert(below(town.items - 1));
    town.held_out.back().assign(held.begin(), held.end());
    if (u % 9 == 0) town.held_out.back().insert(town.held_out.back().begin(), -1);
  }
  for (int e = 0; e < 120; ++e) {
    const auto a = below(town.users);
    const auto b = below(town.users);
    if (a != b) town.friends.insert({std::min(a, b), std::max(a, b)});
  }
  for (std::int64_t i = 0; i < town.items; ++i) {
    std::set<std::int32_t> own;
    for (std::int64_t c = 0; c < i % 3; ++c) own.insert(static_cast<std::int32_t>(below(4)));
    town.item_categories.emplace_back(own.begin(), own.end());
  }
  return town;
}

}  // namespace cohort::testing_support
