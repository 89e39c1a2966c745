// The distributed, sharded graph that training and clustering run on: rows in the order of positions (shard by shard),
// owned rows first, ghosts after them, columns already local, values normalised.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "comm/row_exchange.hpp"
#include "core/ids.hpp"
#include "graph/block_graph.hpp"

namespace cohort {

/// This rank's rows of A-hat = D^-1/2 A D^-1/2 (He et al. 2020, eq. 3 and 8: D is the weighted degree). A node
/// without neighbours has an empty row.
struct Adjacency {
  std::vector<std::int64_t> row_begin{0};  ///< owned + 1
  std::vector<LocalRow> column;            ///< within a row ascending by position (not by local row): one global order
  std::vector<float> value;
};

struct ShardGraph {
  ShardLayout layout;
  Distribution positions;  ///< by rank; layout.positions_of_rank()
  std::int64_t users = 0;  ///< of all ranks
  std::int64_t items = 0;
  std::vector<NodeId> node;     ///< of owned rows, then of ghosts
  std::vector<double> degree;   ///< of owned rows: the sum of their edges' weights
  std::vector<Position> ghost;  ///< positions of the ghosts, ascending (so by owner, then position)
  Adjacency adjacency;
  ExchangePlan halo;                         ///< fills the ghosts: destination row 0 is local row owned()
  std::vector<LocalRow> interior;            ///< owned rows without a ghost among their columns, ascending
  std::vector<LocalRow> boundary;            ///< the other owned rows, ascending
  std::vector<std::int64_t> interior_begin;  ///< this rank's shards + 1: offsets into interior
  std::vector<std::int64_t> boundary_begin;

  std::int64_t owned() const { return static_cast<std::int64_t>(adjacency.row_begin.size()) - 1; }
  std::int64_t local_rows() const { return owned() + static_cast<std::int64_t>(ghost.size()); }
  bool is_user(LocalRow row) const { return node[row.value].value < users; }
  /// Owned rows [first, last) of this rank's k-th shard.
  std::int64_t shard_first_row(int rank, std::int32_t k) const {
    return layout.position_begin[layout.first_shard(rank) + k] - positions.begin(rank);
  }
};

/// Where nodes went: a distributed directory, NodeId -> Position, in the BlockGraph's blocks.
struct NodeDirectory {
  Distribution distribution;
  std::vector<Position> position;  ///< of this rank's block

  /// Positions of `nodes` (any, repeats allowed), in their order. Collective.
  std::vector<Position> lookup(const Communicator& comm, std::span<const NodeId> nodes) const;
};

struct ShardedGraph {
  ShardGraph graph;
  NodeDirectory directory;
};

/// Moves the block graph to where `shard_of` says. shard_of: the shard of every node of this rank's block.
/// first_shard_of_rank: P + 1 cut points. Within a shard nodes stand by NodeId. Checks that the graph is symmetric, in
/// structure and weights: who sends a row is then read in return, which lets ranks of a machine share rows, and the
/// gradient goes through the same matrix. Collective.
ShardedGraph distribute(const Communicator& comm, const BlockGraph& blocks, std::span<const std::int32_t> shard_of,
                        const Distribution& shards_of_rank);

}  // namespace cohort
