// METIS over a distributed graph: gathered on rank 0, cut there, and dealt out.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "graph/block_graph.hpp"
#include "partition/metis_call.hpp"

namespace cohort {

/// The part of every node of this rank's block; the same for every number of ranks. A node weighs 1 + its number of
/// neighbours, an edge 1. Throws InputError where the graph does not fit METIS's integers, RunError where rank 0 has
/// not the memory or METIS fails. parts >= 2, at least one edge. Collective.
std::vector<std::int32_t> metis_cut(const Communicator& comm, const BlockGraph& blocks, std::int64_t parts,
                                    CutObjective objective, std::uint64_t seed);

/// Throws InputError, with the numbers, where a graph does not fit METIS's integers. Local.
void need_metis_integers(std::int64_t nodes, std::int64_t entries, CutObjective objective);

/// Bytes that rank 0 needs on top of what it has, gathering included. Local.
std::int64_t metis_memory_bytes(std::int64_t nodes, std::int64_t entries, std::int64_t parts, CutObjective objective);

}  // namespace cohort
