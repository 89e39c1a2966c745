#include "model/lightgcn.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "core/parallel.hpp"
#include "kernels/bpr.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

namespace {

// Rows that a thread finishes at a time in the backward pass: with what the optimiser reads beside, they fit a core's
// second-level cache many times over, and the kernel's start-up is spread over enough rows.
constexpr std::int64_t block_rows = 128;

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

// Calls visit(first, count) for the blocks of [first, last).
template <class Visit>
void cut_blocks(std::int64_t first, std::int64_t last, Visit visit) {
  for (; first < last; first += block_rows) visit(first, std::min(block_rows, last - first));
}

// Most entries of Ahat that a block of `rows` has.
std::int64_t most_entries(const Adjacency& adjacency, std::span<const LocalRow> rows,
                          std::span<const std::int64_t> begin) {
  std::int64_t most = 0;
  for (std::size_t shard = 0; shard + 1 < begin.size(); ++shard) {
    cut_blocks(begin[shard], begin[shard + 1], [&](std::int64_t first, std::int64_t count) {
      std::int64_t entries = 0;
      for (const LocalRow row : rows.subspan(index(first), index(count))) {
        entries += adjacency.row_begin[index(row.value) + 1] - adjacency.row_begin[index(row.value)];
      }
      most = std::max(most, entries);
    });
  }
  return most;
}

}  // namespace

LightGcn::LightGcn(const Communicator& comm, const ShardGraph& graph, const HaloLayout& halo, std::int64_t layers,
                   int threads)
    : graph_(graph),
      halo_(halo),
      layers_(layers),
      columns_(halo.columns()),
      threads_(threads),
      exchange_(comm, halo.columns()) {
  COHORT_CHECK(layers >= 0 && threads >= 1 && halo.owned() == graph.owned() &&
               halo.ghost_row().size() == graph.ghost.size());
  for (std::int64_t b = 0; b < std::min<std::int64_t>(layers, 2); ++b) {
    buffer_[b] = HaloMatrix(comm, halo);
  }
  comm.attempt([&] {
    column_ = graph.adjacency.column;
    if (!graph.ghost.empty()) {
      mapped_column_ = graph.adjacency.column;
      for (auto& column : mapped_column_) {
        if (column.value >= graph.owned()) column = halo.ghost_row()[index(column.value - graph.owned())];
      }
      column_ = mapped_column_;
    }
    place_.assign(index(graph.local_rows()), -1);
    const auto entries =
        index(layers == 0 ? 0
                          : std::max(most_entries(graph.adjacency, graph.interior, graph.interior_begin),
                                     most_entries(graph.adjacency, graph.boundary, graph.boundary_begin)));
    scratch_.resize(index(threads));
    for (auto& scratch : scratch_) {
      scratch.block = Matrix(block_rows, columns_);
      scratch.row_begin.resize(index(block_rows) + 1);
      scratch.column.resize(entries + 1);
      scratch.value.resize(entries + 1);
    }
  });
}

template <class Work>
void LightGcn::over_shards(std::span<const std::int64_t> begin, Work work) {
  const std::int64_t shards = std::ssize(begin) - 1;
  if (begin.front() == begin.back()) return;  // without waking threads for nothing: one rank has no boundary
  std::atomic<std::int64_t> next{0};
  ParallelFailure failure;
#pragma omp parallel num_threads(threads_) if (threads_ > 1)
  {
    // The thread that called is thread 0, the only one that may call MPI.
    const bool main = omp_get_thread_num() == 0;
    failure.run([&] {
      for (auto shard = index(next++); std::cmp_less(shard, shards); shard = index(next++)) {
        if (begin[shard] < begin[shard + 1]) work(begin[shard], begin[shard + 1]);
        if (main) exchange_.progress();
      }
    });
  }
  failure.rethrow();
}

template <class Work>
void LightGcn::overlapped(const RowSelection& rows, Work work) {
  over_shards(rows.interior_begin, [&](std::int64_t first, std::int64_t last) {
    work(rows.interior.subspan(index(first), index(last - first)), first);
  });
  waiting_ += exchange_.finish();
  const std::int64_t interior = std::ssize(rows.interior);
  over_shards(rows.boundary_begin, [&](std::int64_t first, std::int64_t last) {
    work(rows.boundary.subspan(index(first), index(last - first)), interior + first);
  });
}

template <class Work>
void LightGcn::in_blocks(const RowSelection& rows, Work work) {
  overlapped(rows, [&](Rows part, std::int64_t /*place*/) {
    auto& scratch = scratch_[index(omp_get_thread_num())];
    cut_blocks(0, std::ssize(part), [&](std::int64_t first, std::int64_t count) {
      work(part.subspan(index(first), index(count)), scratch, scratch.block.view().slice(0, count));
    });
  });
}

// The one that was not returned last. Not told by address: without rows, both are null.
HaloMatrix& LightGcn::next_buffer() {
  last_buffer_ = layers_ > 1 ? 1 - last_buffer_ : 0;
  return buffer_[last_buffer_];
}

RowSelection LightGcn::all_rows() const {
  return {graph_.interior, graph_.interior_begin, graph_.boundary, graph_.boundary_begin};
}

SparseRows LightGcn::ahat() const {
  return {graph_.adjacency.row_begin, column_, graph_.adjacency.value};
}

// All layers but the last; returns what the last one reads, its exchange not yet started.
HaloMatrix& LightGcn::propagate_to_last(HaloMatrix& base) {
  COHORT_CHECK(base.view().rows == graph_.owned() && base.columns() == columns_);
  HaloMatrix* in = &base;
  for (std::int64_t layer = 1; layer < layers_; ++layer) {
    HaloMatrix& out = next_buffer();
    exchange_.start(halo_, *in);
    overlapped(all_rows(), [&](Rows part, std::int64_t /*place*/) {
      spmm(ahat(), part, in->view(), base.view(), 1.0F, out.view());
    });
    in = &out;
  }
  return *in;
}

void LightGcn::forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) {
  COHORT_CHECK(out.rows >= rows.size() && out.columns == columns_);
  HaloMatrix& in = propagate_to_last(base);
  if (layers_ == 0) {
    overlapped(rows, [&](Rows part, std::int64_t place) {
      for (std::size_t i = 0; i < part.size(); ++i) {
        std::copy_n(base.row(part[i].value), base.stride(), out.row(place + static_cast<std::int64_t>(i)));
      }
    });
    return;
  }
  const float mean = 1.0F / static_cast<float>(layers_ + 1);
  exchange_.start(halo_, in);
  overlapped(rows, [&](Rows part, std::int64_t place) {
    spmm_block(ahat(), part, in.view(), base.view(), mean, out.slice(place, std::ssize(part)));
  });
}

ConstMatrixView LightGcn::forward(HaloMatrix& base) {
  HaloMatrix& in = propagate_to_last(base);
  if (layers_ == 0) return base.view();
  const float mean = 1.0F / static_cast<float>(layers_ + 1);
  HaloMatrix& out = next_buffer();
  exchange_.start(halo_, in);
  overlapped(all_rows(),
             [&](Rows part, std::int64_t /*place*/) { spmm(ahat(), part, in.view(), base.view(), mean, out.view()); });
  return out.view();
}

void LightGcn::add_neighbours(const SparseGradient& gradient, Rows rows, float factor, Scratch& scratch,
                              MatrixView out) const {
  // Most of a row's neighbours have no gradient: what is left of the block's rows is again a sparse matrix, in the same
  // order, whose columns are places in the gradient.
  static const auto block_row = [] {
    std::vector<LocalRow> row(index(block_rows));
    for (std::size_t i = 0; i < row.size(); ++i) row[i].value = static_cast<std::int32_t>(i);
    return row;
  }();
  const auto& adjacency = graph_.adjacency;
  std::size_t left = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    scratch.row_begin[i] = static_cast<std::int64_t>(left);
    const auto row = index(rows[i].value);
    for (auto k = index(adjacency.row_begin[row]); k < index(adjacency.row_begin[row + 1]); ++k) {
      const std::int32_t place = place_[index(adjacency.column[k].value)];
      scratch.column[left].value = place;
      scratch.value[left] = adjacency.value[k];
      left += place >= 0 ? 1 : 0;
    }
  }
  scratch.row_begin[rows.size()] = static_cast<std::int64_t>(left);
  const SparseRows rest{std::span<const std::int64_t>(scratch.row_begin).first(rows.size() + 1),
                        std::span<const LocalRow>(scratch.column).first(left),
                        std::span<const float>(scratch.value).first(left)};
  spmm_block(rest, Rows(block_row).first(rows.size()), gradient.value, {}, factor, out);
}

template <class Target>
void LightGcn::add_own(const SparseGradient& gradient, Rows rows, float factor, Target target) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t place = place_[index(rows[i].value)];
    if (place >= 0) {
      add_scaled(factor, gradient.value.row(place), target(static_cast<std::int64_t>(i)), gradient.value.stride);
    }
  }
}

void LightGcn::backward(const SparseGradient& gradient, const GradientSink& sink) {
  const auto& rows = gradient.rows;
  COHORT_CHECK(gradient.value.rows >= rows.size() + std::ssize(gradient.ghost) && gradient.value.columns == columns_);
  std::int32_t place = 0;
  for (const Rows list : {rows.interior, rows.boundary, gradient.ghost}) {
    for (const LocalRow row : list) place_[index(row.value)] = place++;
  }
  const float mean = 1.0F / static_cast<float>(layers_ + 1);
  // The gradient is the first term of Horner's rule in every layer, Z <- G + Ahat Z; the first Z is G itself.
  const auto finish = [&](Rows part, MatrixView block) {
    add_own(gradient, part, mean, [&](std::int64_t i) { return block.row(i); });
    sink(part, block);
  };
  HaloMatrix* in = nullptr;
  if (layers_ > 0) exchange_.start(*gradient.halo, gradient.value, gradient.value.row(rows.size()));
  // Neighbours may still be reading what the last forward pass read of this rank, and what is written next.
  if (layers_ > 0) exchange_.meet(halo_);
  if (layers_ == 0) {
    in_blocks(all_rows(), [&](Rows part, Scratch&, MatrixView block) {
      std::fill_n(block.data, block.rows * block.stride, 0.0F);
      finish(part, block);
    });
  } else if (layers_ == 1) {
    in_blocks(all_rows(), [&](Rows part, Scratch& scratch, MatrixView block) {
      add_neighbours(gradient, part, mean, scratch, block);
      finish(part, block);
    });
  } else {
    in = &next_buffer();
    in_blocks(all_rows(), [&](Rows part, Scratch& scratch, MatrixView block) {
      add_neighbours(gradient, part, 1.0F, scratch, block);
      add_own(gradient, part, 1.0F, [&](std::int64_t i) { return block.row(i); });
      for (std::size_t i = 0; i < part.size(); ++i) {
        std::copy_n(block.row(static_cast<std::int64_t>(i)), block.stride, in->row(part[i].value));
      }
    });
  }
  for (std::int64_t layer = 2; layer < layers_; ++layer) {
    HaloMatrix& out = next_buffer();
    exchange_.start(halo_, *in);
    overlapped(all_rows(), [&](Rows part, std::int64_t /*place*/) {
      spmm(ahat(), part, in->view(), {}, 1.0F, out.view());
      add_own(gradient, part, 1.0F, [&](std::int64_t i) { return out.row(part[index(i)].value); });
    });
    in = &out;
  }
  if (layers_ > 1) {
    exchange_.start(halo_, *in);
    in_blocks(all_rows(), [&](Rows part, Scratch&, MatrixView block) {
      spmm_block(ahat(), part, in->view(), {}, mean, block);
      finish(part, block);
    });
  }
  for (const Rows list : {rows.interior, rows.boundary, gradient.ghost}) {
    for (const LocalRow row : list) place_[index(row.value)] = -1;
  }
}

}  // namespace cohort
