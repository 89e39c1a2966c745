// What each of some number of ranks would have of a sharded graph, without those ranks: the same shards, cut for them.
// For predictions.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// Rows and entries of one rank, as a ShardGraph of that many ranks has them.
struct RankShare {
  std::int64_t owned = 0;
  std::int64_t users = 0;             ///< owned rows that are users
  std::int64_t entries = 0;           ///< of the owned rows
  std::int64_t interior_entries = 0;  ///< of those without a ghost among their columns
  std::int64_t ghosts = 0;            ///< rows received in an exchange of the halo
  std::int64_t sent_rows = 0;         ///< sent in one, as often as a rank reads them
  std::int64_t sent_users = 0;        ///< those of them that are users
  std::int64_t neighbours = 0;        ///< ranks that it exchanges rows with
  std::int64_t neighbour_rows = 0;    ///< and all the rows that those own

  /// What cut_points() balances, and what a step's time goes by.
  std::int64_t cost() const { return owned + entries; }
};

/// Bytes of the ShardedGraph that such a rank keeps; directory: nodes of its block of the directory. Local.
std::int64_t graph_bytes(const RankShare& share, std::int64_t directory);

/// What such a rank takes beside that ShardedGraph while it is made: its block of the graph and the entries on their
/// way to their shards. Local.
std::int64_t sharding_bytes(std::int64_t entries);

/// What bipartite_graph() keeps at its peak on a rank that has so many of its entries: what is sent, and what came.
/// Local.
std::int64_t bipartite_graph_bytes(std::int64_t entries);

/// The same of user_graph(): its rows as they are made, as they came, and their columns. Local.
std::int64_t user_graph_bytes(std::int64_t entries);

struct RankShares {
  Distribution positions;             ///< by rank
  std::vector<RankShare> rank;        ///< the same on all processes
  std::vector<std::int32_t> readers;  ///< by row that this process owns: how many ranks, not counting its own, read it

  int ranks() const { return positions.ranks(); }
};

/// For shards_of_rank.ranks() ranks, whatever the number of processes. Throws InternalError where the numbers of shards
/// differ. Collective.
RankShares rank_shares(const Communicator& comm, const ShardGraph& graph, const Distribution& shards_of_rank);

}  // namespace cohort
