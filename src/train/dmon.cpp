#include "train/dmon.hpp"

#include <algorithm>

namespace cohort {

Dmon::Dmon(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, std::int64_t count,
           std::uint64_t seed, int threads)
    : soft_(comm, graph, columns, count, threads),
      edges_(comm.sum(std::ssize(graph.adjacency.column))),
      all_rows_{graph.interior, graph.interior_begin, graph.boundary, graph.boundary_begin} {
  comm.attempt([&] {
    constexpr std::uint32_t number = 1U << 16;  // beyond those of any encoder's weights
    weights_[0] = glorot_weight(head_weight, count, columns, seed, number);
    weights_[1] = {head_bias, Matrix(1, count)};
    no_decay_.assign(graph.owned(), 0.0F);
    placed_ = PlacedRows(graph, columns);
  });
}

SparseGradient Dmon::gradient(std::int64_t /*step*/, int /*view*/, ConstMatrixView /*layer_zero*/,
                              std::span<double> loss_by_shard) {
  placed_.to_owned();
  std::ranges::fill(loss_by_shard, 0.0);
  const auto& bias = weights_[1].value;
  soft_.gradient(placed_.owned(), {weights_[0].value.view(), bias.view().at(0), 1}, placed_.owned(), loss_by_shard);
  gradients_[0] = copy_of(soft_.by_weight().view());
  gradients_[1] = copy_of(soft_.by_bias().view());
  placed_.to_places();
  return placed_.gradient();
}

}  // namespace cohort
