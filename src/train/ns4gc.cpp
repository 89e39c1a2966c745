#include "train/ns4gc.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "kernels/activations.hpp"
#include "kernels/outer.hpp"
#include "kernels/rows.hpp"
#include "kernels/scores.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

namespace {

// Rows whose cosines with the pool a thread holds at a time.
constexpr std::int64_t block_rows = 64;

}  // namespace

Ns4gc::Ns4gc(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, const Ns4gcOptions& options,
             int threads)
    : comm_(comm),
      graph_(graph),
      options_(options),
      propagation_(comm, graph, columns, threads),
      shard_sum_(comm, graph.layout),
      threads_(threads),
      columns_(columns),
      shards_(graph.layout.shards_of_rank.count(comm.rank())),
      nodes_(graph.users + graph.items) {
  COHORT_CHECK(options.pool > 0 && options.width > 0);
  edges_ = comm.sum(std::ssize(graph.adjacency.column));
  if (edges_ == 0)
    throw TooLittleError("there is nothing to train on: the graph has no edges; check [input] and [clean]");
  for (auto& unit : unit_) unit = propagation_.matrix();
  comm.attempt([&] {
    ones_.assign(graph.adjacency.value.size(), 1.0F);
    for (std::int32_t row = 0; std::cmp_less(row, graph.owned()); ++row) {
      owned_.emplace_back(graph.node[row], LocalRow{row});
    }
    std::ranges::sort(owned_);
    place_.resize(graph.owned());
    std::int64_t place = 0;
    for (const auto& list : {graph.interior, graph.boundary}) {
      for (const LocalRow row : list) place_[row.value] = place++;
    }
    no_decay_.assign(graph.owned(), 0.0F);
    for (int view = 0; view < 2; ++view) {
      value_[view] = Matrix(graph.owned(), columns);
      inverse_norm_[view].resize(graph.owned());
      neighbours_[view] = Matrix(graph.owned(), columns);
    }
    pool_ = Matrix(options.pool, columns);
    pool_gradient_ = Matrix(options.pool, columns);
    scratch_.resize(threads);
    for (auto& scratch : scratch_) scratch.slope = Matrix(block_rows, options.pool);
  });
}

std::int64_t Ns4gc::plan(std::int64_t first) {
  COHORT_CHECK(first == 0);
  const CounterRandom random(options_.seed, Purpose::contrast_pool);
  drawn_.clear();
  for (std::int32_t k = 0; k < options_.pool; ++k) {
    const NodeId node{static_cast<std::int64_t>(
        random.below(static_cast<std::uint64_t>(nodes_), static_cast<std::uint64_t>(k), epoch_))};
    const auto found = std::ranges::lower_bound(owned_, node, {}, &std::pair<NodeId, LocalRow>::first);
    if (found != owned_.end() && found->first == node) drawn_.emplace_back(found->second, k);
  }
  std::ranges::sort(drawn_);
  return 1;
}

std::pair<std::int64_t, std::int64_t> Ns4gc::rows_of(std::int64_t shard) const {
  const auto k = static_cast<std::int32_t>(shard);
  return {graph_.shard_first_row(comm_.rank(), k), graph_.shard_first_row(comm_.rank(), k + 1)};
}

void Ns4gc::normalise(int view) {
  auto& value = value_[view];
#pragma omp parallel for schedule(static) num_threads(threads_)
  for (std::int64_t row = 0; row < graph_.owned(); ++row) {
    const auto place = place_[row];
    const float* const z = value.row(place);
    const double norm = std::sqrt(row_dot(z, z, value.stride()));
    inverse_norm_[view][place] = norm > 0 ? static_cast<float>(1 / norm) : 0.0F;
    scale_into(inverse_norm_[view][place], z, unit_[view].row(row), value.stride());
  }
}

void Ns4gc::sum_neighbours(int view) {
  auto entries = propagation_.entries();
  entries.value = ones_;
  auto& unit = unit_[view];
  propagation_.over(unit, propagation_.all_rows(), [&](Propagation::Rows part, std::int64_t /*place*/) {
    spmm(entries, part, unit.view(), {}, 1.0F, neighbours_[view].view());
  });
}

// Every row of the pool has one owner: the sum of the bit patterns is its own, with zeros.
void Ns4gc::gather_pool() {
  const auto bits = std::span(reinterpret_cast<std::int32_t*>(pool_.row(0)),
                              static_cast<std::size_t>(options_.pool * pool_.stride()));
  std::ranges::fill(bits, 0);
  for (const auto& [row, k] : drawn_) std::copy_n(unit_[1].row(row.value), pool_.stride(), pool_.row(k));
  comm_.sum_in_place(bits);
}

// The third mean: its share of the loss, of the gradient by u (into value_[0]) and by the pool's v.
void Ns4gc::add_pool(std::span<double> loss) {
  const PackedRows pool(pool_.view());
  Matrix by_column(columns_, options_.pool);
  for (std::int64_t k = 0; k < options_.pool; ++k) {
    for (std::int64_t c = 0; c < columns_; ++c) by_column.row(c)[k] = pool_.row(k)[c];
  }
  const PackedRows columns(by_column.view());
  const double share = 1 / (static_cast<double>(nodes_) * static_cast<double>(options_.pool));
  const auto sums = shard_sum_.fold(options_.pool * columns_, threads_, [&](std::int64_t shard, std::span<double> sum) {
    auto& scratch = scratch_[omp_get_thread_num()];
    const auto [begin, end] = rows_of(shard);
    double partial = 0;
    Matrix by_unit(block_rows, columns_);
    for (auto first = begin; first < end; first += block_rows) {
      const auto count = std::min(block_rows, end - first);
      const auto unit = ConstMatrixView(unit_[0].view()).slice(first, count);
      const auto slope = scratch.slope.view().slice(0, count);
      inner_products(unit, pool, slope);
      sigmoid(slope, options_.split, options_.width);
      for (std::int64_t r = 0; r < count; ++r) {
        for (float& value : slope.at(r)) {
          const auto height = static_cast<double>(value);
          partial += height;
          value = static_cast<float>(share / options_.width * height * (1 - height));
        }
      }
      inner_products(slope, columns, by_unit.view().slice(0, count));
      for (std::int64_t r = 0; r < count; ++r) {
        std::copy_n(by_unit.row(r), by_unit.stride(), value_[0].row(place_[first + r]));
      }
      add_outer_products(slope, unit, sum);
    }
    loss[shard] = share * partial;
  });
  round_into(sums, pool_gradient_.view());
}

// The first two means; then the gradients by z.
void Ns4gc::add_pairs(std::span<double> loss) {
  const double by_node = 1 / static_cast<double>(nodes_);
  const double by_edge = 1 / static_cast<double>(edges_);
  const auto stride = value_[0].stride();
  const auto finish = [&](int view, std::int64_t row) {
    const auto place = place_[row];
    const float* const unit = unit_[view].row(row);
    float* const gradient = value_[view].row(place);
    add_scaled(static_cast<float>(-by_node), unit_[1 - view].row(row), gradient, stride);
    add_scaled(static_cast<float>(-by_edge), neighbours_[1 - view].row(row), gradient, stride);
    add_scaled(static_cast<float>(-row_dot(gradient, unit, stride)), unit, gradient, stride);
    scale_into(inverse_norm_[view][place], gradient, gradient, stride);
  };
  for_each_in_parallel(shards_, threads_, [&](std::int64_t shard) {
    const auto [first, last] = rows_of(shard);
    auto drawn = std::ranges::lower_bound(drawn_, LocalRow{static_cast<std::int32_t>(first)}, {},
                                          &std::pair<LocalRow, std::int32_t>::first);
    double partial = 0;
    for (auto row = first; row < last; ++row) {
      const float* const unit = unit_[0].row(row);
      partial -= by_node * row_dot(unit, unit_[1].row(row), stride);
      partial -= by_edge * row_dot(unit, neighbours_[1].row(row), stride);
      float* const other = value_[1].row(place_[row]);
      std::fill_n(other, stride, 0.0F);
      for (; drawn != drawn_.end() && drawn->first.value == row; ++drawn) {
        add_row(pool_gradient_.row(drawn->second), other, stride);
      }
      finish(0, row);
      finish(1, row);
    }
    loss[shard] += partial;
  });
}

SparseGradient Ns4gc::gradient(std::int64_t /*step*/, int view, ConstMatrixView /*layer_zero*/,
                               std::span<double> loss) {
  if (view == 0) {
    COHORT_CHECK(std::ssize(loss) == shards_);
    for (int v = 0; v < 2; ++v) {
      normalise(v);  // neighbours have read what the step before left: they have met since, for the other view
      sum_neighbours(v);
    }
    gather_pool();
    add_pool(loss);
    add_pairs(loss);
  }
  return {rows(0, view), {}, &no_halo_, value_[view].view()};
}

}  // namespace cohort
