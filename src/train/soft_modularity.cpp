#include "train/soft_modularity.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "kernels/outer.hpp"
#include "kernels/rows.hpp"
#include "kernels/scores.hpp"
#include "kernels/softmax.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

SoftModularity::SoftModularity(const Communicator& comm, const ShardGraph& graph, std::int64_t columns,
                               std::int64_t count, int threads)
    : graph_(graph),
      propagation_(comm, graph, count, threads),
      shard_sum_(comm, graph.layout),
      rank_(comm.rank()),
      threads_(threads),
      shards_(graph.layout.shards_of_rank.count(comm.rank())),
      columns_(columns),
      count_(count),
      nodes_(static_cast<double>(graph.users + graph.items)) {
  std::vector<double> degree(shards_, 0.0);
  for (std::int32_t k = 0; k < shards_; ++k) {
    for (auto row = graph.shard_first_row(comm.rank(), k); row < graph.shard_first_row(comm.rank(), k + 1); ++row) {
      degree[k] += graph.degree[row];
    }
  }
  total_degree_ = shard_sum_.of(degree);
  if (!(total_degree_ > 0)) {
    throw InputError("there is no modularity to train on: the graph has no edges; check [input] and [clean]");
  }
  scaled_ = propagation_.matrix();
  comm.attempt([&] {
    share_ = Matrix(graph.owned(), count);
    mixed_ = Matrix(graph.owned(), count);
    segment_.assign(graph.owned(), 0);
    by_weight_ = Matrix(count, columns);
    by_bias_ = Matrix(1, count);
  });
}

std::pair<std::int64_t, std::int64_t> SoftModularity::rows_of(std::int64_t shard) const {
  const auto k = static_cast<std::int32_t>(shard);
  return {graph_.shard_first_row(rank_, k), graph_.shard_first_row(rank_, k + 1)};
}

// C, the sums over its rows, and the rows that are propagated.
void SoftModularity::assign(ConstMatrixView rows, const SegmentHead& head) {
  const PackedRows weight(head.weight);
  const auto sums = shard_sum_.fold(2 * count_, threads_, [&](std::int64_t shard, std::span<double> sum) {
    const auto [first, last] = rows_of(shard);
    const auto share = share_.view().slice(first, last - first);
    inner_products(rows.slice(first, last - first), weight, share);
    std::vector<double> log_sum(last - first);
    if (!head.bias.empty()) {
      for (std::int64_t i = 0; i < share.rows; ++i) {
        for (std::int64_t j = 0; j < count_; ++j) share.row(i)[j] += head.bias[j];
      }
    }
    softmax_rows(share, head.temperature, log_sum);
    for (std::int64_t i = 0; i < share.rows; ++i) {
      const float* const row = share.row(i);
      const double degree = graph_.degree[first + i];
      for (std::int64_t j = 0; j < count_; ++j) {
        sum[j] += static_cast<double>(row[j]);
        sum[count_ + j] += degree * static_cast<double>(row[j]);
      }
      segment_[first + i] = static_cast<std::int32_t>(std::max_element(row, row + count_) - row);
      scale_into(static_cast<float>(std::sqrt(degree)), row, scaled_.row(first + i), share.stride);
    }
  });
  size_.assign(sums.begin(), sums.begin() + count_);
  volume_.assign(sums.begin() + count_, sums.end());
}

// The graph has a_ij / sqrt(d_i d_j).
void SoftModularity::mix() {
  propagation_.over(scaled_, propagation_.all_rows(), [&](Propagation::Rows part, std::int64_t /*place*/) {
    spmm(propagation_.entries(), part, scaled_.view(), {}, 1.0F, mixed_.view());
  });
}

double SoftModularity::finish(ConstMatrixView rows, const SegmentHead& head, MatrixView by_rows) {
  double length = 0;
  double expected = 0;
  for (const double size : size_) length += size * size;
  for (const double volume : volume_) expected += volume * volume;
  length = std::sqrt(length);
  const double collapse = std::sqrt(static_cast<double>(count_)) / nodes_;
  const Matrix by_column = transposed(head.weight);
  const PackedRows weight(by_column.view());
  const auto outer_size = count_ * columns_;
  const auto sums = shard_sum_.fold(outer_size + count_ + 1, threads_, [&](std::int64_t shard, std::span<double> sum) {
    const auto [first, last] = rows_of(shard);
    const auto mixed = mixed_.view().slice(first, last - first);
    const auto by_bias = sum.subspan(outer_size, count_);
    std::vector<double> slope(count_);
    double inside = 0;
    for (std::int64_t i = 0; i < mixed.rows; ++i) {
      const float* const share = share_.row(first + i);
      float* const out = mixed.row(i);
      inside += row_dot(scaled_.row(first + i), out, mixed.stride);
      const double degree = graph_.degree[first + i];
      const double root = std::sqrt(degree);
      double mean = 0;
      for (std::int64_t j = 0; j < count_; ++j) {
        slope[j] = collapse * size_[j] / length -
                   2 / total_degree_ * (root * static_cast<double>(out[j]) - degree * volume_[j] / total_degree_);
        mean += static_cast<double>(share[j]) * slope[j];
      }
      for (std::int64_t j = 0; j < count_; ++j) {
        const double by_score = static_cast<double>(share[j]) * (slope[j] - mean) / head.temperature;
        by_bias[j] += by_score;
        out[j] = static_cast<float>(by_score);
      }
    }
    sum.back() += inside;
    add_outer_products(mixed, rows.slice(first, mixed.rows), sum.first(outer_size));
    inner_products(mixed, weight, by_rows.slice(first, mixed.rows));
  });
  round_into(std::span(sums).first(outer_size), by_weight_.view());
  round_into(std::span(sums).subspan(outer_size, count_), by_bias_.view());
  return -(sums.back() - expected / total_degree_) / total_degree_ + collapse * length - 1;
}

// Neighbours have read what the call before left: all have met since, for the sums of finish().
double SoftModularity::gradient(ConstMatrixView rows, const SegmentHead& head, MatrixView by_rows,
                                std::span<double> loss_by_shard) {
  COHORT_CHECK(rows.rows == graph_.owned() && rows.columns == columns_ && by_rows.rows == rows.rows);
  COHORT_CHECK(head.weight.rows == count_ && head.weight.columns == columns_ && head.temperature > 0);
  assign(rows, head);
  mix();
  const double loss = finish(rows, head, by_rows);
  if (shards_ > 0 && graph_.layout.first_shard(rank_) == 0) loss_by_shard.front() += loss;
  return loss;
}

}  // namespace cohort
