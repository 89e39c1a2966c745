// What training starts from where it follows another run: that run's rows, weights and centres, brought to the nodes of
// this graph. For the trainer.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"
#include "model/weights.hpp"

namespace cohort {

/// The name, in a state, of another run's centres until the joint phase begins with them.
inline constexpr auto initial_centres_name = "initial_centres";

struct InitialState {
  Matrix rows;                               ///< owned x dim: layer 0; none where rows are not learned
  std::vector<char> known;                   ///< by owned row: whether it has one
  std::map<std::string, Matrix> replicated;  ///< weights and centres by name; the same on all ranks

  /// Those that are here by name. Throws InputError where one has another shape. Local.
  void copy_into(std::span<Weight> weights) const;
};

/// Gives rows that are not known the mean of the known rows of their neighbours, and marks them as known; those without
/// such neighbours stay as they are. Returns how many were given one, of all ranks. Collective.
std::int64_t fill_from_neighbours(const Communicator& comm, const ShardGraph& graph, MatrixView rows,
                                  std::vector<char>& known, int threads);

}  // namespace cohort
