// Whether the filter recommends better than the embedding, and how: chosen on interactions that are held back, as the
// blend's weight is (recommend/blend.hpp), with the filter of the graph that has not seen them.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/recommendation.hpp"

namespace cohort {

struct FilterQuestion {
  const Validation* validation = nullptr;  ///< with embeddings, where `beside` is asked for
  const FilterGraph* graph = nullptr;      ///< of what is left
  const ItemChoice* choice = nullptr;
  const Distribution* user_blocks = nullptr;
  const Distribution* item_blocks = nullptr;
  bool alone = true;                             ///< w = 0 is a candidate
  bool beside = true;                            ///< and others are
  const std::vector<double>* without = nullptr;  ///< NDCG@20 of each of this rank's users, which the gain is over;
                                                 ///< nullptr on all ranks: no gain is looked for
  std::uint64_t seed = 0;
};

struct FilterAnswer {
  double ridge = 0;    ///< which filter (filter_coefficients)
  double power = 0;    ///< b
  double weight = 0;   ///< w: the best above 0 with these, where `beside` was asked for
  bool alone = false;  ///< w = 0 is better
  double ndcg = 0;     ///< NDCG@20 on the users looked at; NaN where there are none
  double gain = 0;
  double standard_error = 0;  ///< of it
  std::int64_t users = 0;     ///< looked at
};

/// By NDCG@20 over some 2,048 of the users that hold something back: from ridge 0, b = 0.3 and w = 2 (where `beside` is
/// not asked for, 0) on, whatever gains more than its standard error over the best before it; first, where at least a
/// hundredth of all pairs of user and item are there, the ridges 0, 0.1 and 0.02 (in sparse data they lift what few
/// have, and what is held back at random prefers that to what users do next), then with the best of them b among 0,
/// 0.2, 0.4, 0.5, each with w among 0, 0.5, 1, 2, 4, 8, 16. A largest of so many would be chance too often. Where
/// nobody holds anything back, what it starts from. Collective.
FilterAnswer choose_filter(const Communicator& comm, const FilterQuestion& question);

}  // namespace cohort
