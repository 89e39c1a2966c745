// LightGCN without its floats: the same linear operator on few columns in float64, for explanations, whose parts must
// add up.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "graph/ghosts.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// S = sum over l < terms of Ahat^l base (He et al. 2020, eq. 7 without its mean), by Horner's rule; zero for terms =
/// 0. base: owned x columns, row-major. Returns local_rows x columns, the ghosts' rows included. A row adds its
/// neighbours in the order of their positions, so the bits do not depend on the ranks. Collective.
std::vector<double> linear_response(const Communicator& comm, const ShardGraph& graph, std::span<const double> base,
                                    std::int64_t columns, std::int64_t terms);

}  // namespace cohort
