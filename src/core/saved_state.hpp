// What training goes on from, by name: whatever an encoder, an objective or the optimiser keeps from step to step
// stands in a checkpoint under a name of its own, so that a new one needs no new file code. For train/ and store/.
#pragma once

#include <map>
#include <string>

#include "core/matrix.hpp"

namespace cohort {

struct SavedState {
  std::map<std::string, Matrix> rows;        ///< one row a node; which nodes, and in which order, says who holds them
  std::map<std::string, Matrix> replicated;  ///< the same on all ranks
  std::map<std::string, double> numbers;     ///< the same on all ranks; integers are exact up to 2^53
};

/// Its name among the rows of every state: layer 0, what is trained.
inline constexpr auto layer_zero_rows = "parameters";
/// And among the replicated matrices, of segments that were trained: their centres (k x d), or dmon's head (k x d and
/// 1 x k), a node's segment being the one of largest <z, weight_j> + bias_j.
inline constexpr auto centres_name = "centres";
inline constexpr auto head_weight = "head";
inline constexpr auto head_bias = "head_bias";

}  // namespace cohort
