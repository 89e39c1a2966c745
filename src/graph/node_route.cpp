#include "graph/node_route.hpp"

#include <algorithm>

namespace cohort {

namespace {

// Rows `which` of `rows`, sent by `begin`; row i of what comes is written to row place[i] of a matrix of `count` rows.
Matrix move_rows(const Communicator& comm, ConstMatrixView rows, const std::vector<std::int64_t>& which,
                 const std::vector<std::int64_t>& begin, const std::vector<std::int64_t>& place, std::int64_t count) {
  std::vector<float> outgoing;
  Matrix result;
  comm.attempt([&] {
    outgoing.reserve(which.size() * static_cast<std::size_t>(rows.columns));
    for (const auto row : which) {
      const auto values = rows.at(row);
      outgoing.insert(outgoing.end(), values.begin(), values.end());
    }
    result = Matrix(count, rows.columns);
  });
  std::vector<std::int64_t> float_begin(begin);
  for (auto& offset : float_begin) offset *= rows.columns;
  const auto came = comm.exchange(std::span<const float>(outgoing), std::span<const std::int64_t>(float_begin)).data;
  for (std::size_t i = 0; i < place.size(); ++i) {
    std::copy_n(came.data() + static_cast<std::int64_t>(i) * rows.columns, rows.columns, result.row(place[i]));
  }
  return result;
}

}  // namespace

NodeRoute::NodeRoute(const Communicator& comm, const ShardGraph& graph, const Distribution& blocks)
    : comm_(comm), owned_rows_(graph.owned()) {
  std::vector<NodeId> node;
  for (std::int64_t row = 0; row < owned_rows_; ++row) {
    const auto id = graph.node[row];
    if (id.value >= blocks.total()) continue;
    node.push_back(id);
    row_.push_back(row);
  }
  auto by_rank =
      bucket_by(std::span<const NodeId>(node), comm.size(), [&](NodeId id) { return blocks.owner(id.value); });
  std::vector<std::int64_t> row(row_.size());
  std::transform(by_rank.source.begin(), by_rank.source.end(), row.begin(),
                 [&](std::int64_t source) { return row_[source]; });
  row_ = std::move(row);
  row_begin_ = std::move(by_rank.begin);
  auto arrived = comm.exchange(std::span<const NodeId>(by_rank.data), std::span<const std::int64_t>(row_begin_));
  COHORT_CHECK(std::ssize(arrived.data) == blocks.count(comm.rank()), "every node of a block has one owner");
  place_begin_ = std::move(arrived.begin);
  place_.reserve(arrived.data.size());
  for (const auto id : arrived.data) place_.push_back(id.value - blocks.begin(comm.rank()));
}

Matrix NodeRoute::to_blocks(ConstMatrixView owned_rows) const {
  COHORT_CHECK(owned_rows.rows == owned_rows_);
  return move_rows(comm_, owned_rows, row_, row_begin_, place_, std::ssize(place_));
}

Matrix NodeRoute::to_shards(ConstMatrixView block_rows) const {
  COHORT_CHECK(block_rows.rows == std::ssize(place_));
  return move_rows(comm_, block_rows, place_, place_begin_, row_, owned_rows_);
}

Matrix to_blocks(const Communicator& comm, const ShardGraph& graph, ConstMatrixView owned_rows,
                 const Distribution& blocks) {
  return NodeRoute(comm, graph, blocks).to_blocks(owned_rows);
}

Matrix to_shards(const Communicator& comm, const ShardGraph& graph, ConstMatrixView block_rows,
                 const Distribution& blocks) {
  return NodeRoute(comm, graph, blocks).to_shards(block_rows);
}

std::vector<double> weighted_degrees(const Communicator& comm, const BlockGraph& blocks, const ShardGraph& graph) {
  std::vector<double> degree(blocks.rows(), 0.0);
  for (std::size_t row = 0; row < degree.size(); ++row) {
    for (auto k = static_cast<std::size_t>(blocks.row_begin[row]);
         k < static_cast<std::size_t>(blocks.row_begin[row + 1]); ++k) {
      degree[row] += static_cast<double>(blocks.weight[k]);
    }
  }
  return to_shards(comm, graph, std::span<const double>(degree), blocks.distribution);
}

}  // namespace cohort
