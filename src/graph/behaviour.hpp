// What users have, as far as it joins them. Internal to the graph of users.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// This rank's users: rows of items, ascending, and their weights.
struct Behaviour {
  std::vector<std::int64_t> row_begin{0};
  std::vector<std::int64_t> item;
  std::vector<float> weight;  ///< empty: all are 1

  std::int64_t users() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
  double weight_of(std::size_t k) const { return weight.empty() ? 1.0 : static_cast<double>(weight[k]); }
};

/// Whether rows have weights, or all are 1. Local.
bool is_weighted(const GraphConfig& options);

/// An interaction that weighs nothing is none, as in the bipartite graph. A row for each of this rank's users. Local.
Behaviour behaviour_of(const Dataset& dataset, std::int64_t users, const GraphConfig& options);

/// graph.max_item_users "auto" is the largest at which comparisons are no more than this for each interaction; never
/// less than this number.
inline constexpr std::int64_t comparisons_an_interaction = 2000;

struct PassedOver {
  std::int64_t max_item_users = 0;       ///< as given or chosen
  std::int64_t items = 0;                ///< over all ranks, with more users than that
  std::int64_t interactions = 0;         ///< theirs
  std::vector<std::int64_t> item_users;  ///< of this rank's block of items, those passed over too
};

/// Takes the items that have more users than `limit` (0: "auto") out of `behaviour`. Collective.
PassedOver pass_over(const Communicator& comm, const Distribution& items, std::int64_t limit, Behaviour& behaviour);

/// Takes the same items out of what others have. Collective.
void pass_over(const Communicator& comm, const Distribution& items, const PassedOver& passed_over,
               Behaviour& behaviour);

}  // namespace cohort
