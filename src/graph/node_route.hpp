// Moves what belongs to nodes between the order in which ranks own them (sharded: rows 0..owned()-1 of a ShardGraph)
// and the order of NodeIds in blocks, in which input is read and results are written.
//
// `blocks` may cover only the first NodeIds (its total being the number of users): rows of the other nodes are then
// left out of what goes to the blocks, and are zero in what comes from them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// How owned rows and block rows correspond. For several moves between the same places, made once.
class NodeRoute {
 public:
  /// Collective. `comm` must outlive the route.
  NodeRoute(const Communicator& comm, const ShardGraph& graph, const Distribution& blocks);

  /// owned: one value a owned row. Returns one a node of this rank's block. Collective.
  template <Wire T>
  std::vector<T> to_blocks(std::span<const T> owned) const {
    COHORT_CHECK(std::ssize(owned) == owned_rows_);
    const auto came = comm_.exchange(std::span<const T>(pick(owned, row_)), std::span<const std::int64_t>(row_begin_));
    std::vector<T> result(place_.size());
    for (std::size_t i = 0; i < place_.size(); ++i) result[place_[i]] = came.data[i];
    return result;
  }
  /// of_block: one value a node of this rank's block. Returns one a owned row. Collective.
  template <Wire T>
  std::vector<T> to_shards(std::span<const T> of_block) const {
    COHORT_CHECK(of_block.size() == place_.size());
    const auto came =
        comm_.exchange(std::span<const T>(pick(of_block, place_)), std::span<const std::int64_t>(place_begin_));
    std::vector<T> result(owned_rows_);
    for (std::size_t i = 0; i < row_.size(); ++i) result[row_[i]] = came.data[i];
    return result;
  }
  /// The same for rows of a matrix. Collective.
  Matrix to_blocks(ConstMatrixView owned_rows) const;
  Matrix to_shards(ConstMatrixView block_rows) const;

 private:
  template <class T>
  static std::vector<T> pick(std::span<const T> values, const std::vector<std::int64_t>& which) {
    std::vector<T> picked;
    picked.reserve(which.size());
    for (const auto i : which) picked.push_back(values[i]);
    return picked;
  }

  const Communicator& comm_;
  std::int64_t owned_rows_ = 0;
  std::vector<std::int64_t> row_;          // owned rows that a block holds, by the block's rank
  std::vector<std::int64_t> row_begin_;    // P + 1
  std::vector<std::int64_t> place_;        // rows of this rank's block, by the rank that owns the node
  std::vector<std::int64_t> place_begin_;  // P + 1
};

/// A single move of a matrix's rows (rows x columns; owned() rows in, the block's rows out, or the reverse).
/// Collective.
Matrix to_blocks(const Communicator& comm, const ShardGraph& graph, ConstMatrixView owned_rows,
                 const Distribution& blocks);
Matrix to_shards(const Communicator& comm, const ShardGraph& graph, ConstMatrixView block_rows,
                 const Distribution& blocks);

/// A single move of one value a node. Collective.
template <Wire T>
std::vector<T> to_blocks(const Communicator& comm, const ShardGraph& graph, std::span<const T> owned,
                         const Distribution& blocks) {
  return NodeRoute(comm, graph, blocks).to_blocks(owned);
}
template <Wire T>
std::vector<T> to_shards(const Communicator& comm, const ShardGraph& graph, std::span<const T> of_block,
                         const Distribution& blocks) {
  return NodeRoute(comm, graph, blocks).to_shards(of_block);
}

/// Sums of edge weights of this rank's owned rows. Collective.
std::vector<double> weighted_degrees(const Communicator& comm, const BlockGraph& blocks, const ShardGraph& graph);

}  // namespace cohort
