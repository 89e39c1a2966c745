// Small graphs put on shards and shards put on ranks, several ways: what must not change a bit of any result. For the
// tests of model/ and train/.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "graph/node_route.hpp"
#include "graph/shard_graph.hpp"
#include "support/small_graphs.hpp"

namespace cohort::testing_support {

constexpr std::int32_t test_shards = 7;

/// Nodes at random on seven shards, of which shard 2 is empty.
inline std::vector<std::int32_t> scattered_shards(std::int64_t nodes) {
  std::mt19937 random(7);
  std::vector<std::int32_t> shard_of;
  for (std::int64_t i = 0; i < nodes; ++i) {
    const auto shard = static_cast<std::int32_t>(random() % test_shards);
    shard_of.push_back(shard == 2 ? 3 : shard);
  }
  return shard_of;
}

/// All shards on the last rank: one rank's computation, and ranks without rows.
inline Distribution on_last_rank(const Communicator& comm) {
  std::vector<std::int64_t> begin(comm.size() + 1, 0);
  begin.back() = test_shards;
  return Distribution(begin);
}

/// Even cuts; one shard on each rank but the first, which has the rest; all on the last rank.
inline std::vector<Distribution> all_cuts(const Communicator& comm) {
  std::vector<std::int64_t> uneven{0};
  for (int rank = 1; rank <= comm.size(); ++rank) uneven.push_back(test_shards - comm.size() + rank);
  return {Distribution::even(test_shards, comm.size()), Distribution(uneven), on_last_rank(comm)};
}

inline ShardedGraph shard(const Communicator& comm, const BlockGraph& blocks, const Distribution& cuts) {
  const auto shard_of = scattered_shards(blocks.nodes());
  return distribute(comm, blocks,
                    std::span<const std::int32_t>(shard_of).subspan(blocks.distribution.begin(comm.rank()),
                                                                    blocks.distribution.count(comm.rank())),
                    cuts);
}

/// A matrix of all nodes by NodeId, on every rank, row-major without padding.
struct Whole {
  std::int64_t columns = 0;
  std::vector<float> values;

  float at(std::int64_t row, std::int64_t column) const { return values[row * columns + column]; }
  friend bool operator==(const Whole&, const Whole&) = default;
};

inline Whole gather(const Communicator& comm, const ShardGraph& graph, ConstMatrixView owned_rows) {
  const auto blocks = Distribution::even(graph.positions.total(), comm.size());
  const auto mine = to_blocks(comm, graph, owned_rows, blocks);
  std::vector<float> values;
  for (std::int64_t row = 0; row < mine.rows(); ++row) {
    const auto from = mine.view().at(row);
    values.insert(values.end(), from.begin(), from.end());
  }
  return {owned_rows.columns, comm.all_gather(std::span<const float>(values)).data};
}

/// Row-major float64 matrices for dense references.
struct Dense {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> values;

  Dense(std::int64_t r, std::int64_t c) : rows(r), columns(c), values(static_cast<std::size_t>(r * c), 0.0) {}
  double& at(std::int64_t row, std::int64_t column) { return values[row * columns + column]; }
  double at(std::int64_t row, std::int64_t column) const { return values[row * columns + column]; }
};

/// (1/(L+1)) sum over l = 0..L of Ahat^l E: the sum of powers as the paper writes it.
inline Dense mean_of_layers(const SmallGraph& graph, const Dense& embedding, std::int64_t layers) {
  const auto normalised = graph.normalised();
  Dense power = embedding;
  Dense sum = embedding;
  for (std::int64_t layer = 1; layer <= layers; ++layer) {
    Dense next(embedding.rows, embedding.columns);
    for (const auto& [place, value] : normalised) {
      for (std::int64_t c = 0; c < embedding.columns; ++c) {
        next.at(place.first, c) += static_cast<double>(value) * power.at(place.second, c);
      }
    }
    power = next;
    for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += power.values[i];
  }
  for (double& value : sum.values) value /= static_cast<double>(layers + 1);
  return sum;
}

}  // namespace cohort::testing_support
