#include "model/lightgcn.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "kernels/rows.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

LightGcn::LightGcn(const Communicator& comm, Propagation& propagation, std::int64_t layers)
    : propagation_(propagation), layers_(layers) {
  COHORT_CHECK(layers >= 0);
  for (std::int64_t b = 0; b < std::min<std::int64_t>(layers, 2); ++b) buffer_[b] = propagation.matrix();
  comm.attempt([&] {
    place_.assign(propagation.graph().local_rows(), -1);
    const auto entries = static_cast<std::size_t>(layers == 0 ? 0 : propagation.most_entries_of_block());
    scratch_.resize(propagation.threads());
    for (auto& scratch : scratch_) {
      scratch.block = Matrix(Propagation::block_rows, propagation.columns());
      scratch.row_begin.resize(Propagation::block_rows + 1);
      scratch.column.resize(entries + 1);
      scratch.value.resize(entries + 1);
    }
  });
}

// The one that was not returned last. Not told by address: without rows, both are null.
HaloMatrix& LightGcn::next_buffer() {
  last_buffer_ = layers_ > 1 ? 1 - last_buffer_ : 0;
  return buffer_[last_buffer_];
}

// All layers but the last; returns what the last one reads, its exchange not yet started.
HaloMatrix& LightGcn::propagate_to_last(HaloMatrix& base) {
  COHORT_CHECK(base.view().rows == propagation_.graph().owned() && base.columns() == propagation_.columns());
  HaloMatrix* in = &base;
  for (std::int64_t layer = 1; layer < layers_; ++layer) {
    HaloMatrix& out = next_buffer();
    propagation_.over(*in, propagation_.all_rows(), [&](Rows part, std::int64_t /*place*/) {
      spmm(propagation_.entries(), part, in->view(), base.view(), 1.0F, out.view());
    });
    in = &out;
  }
  return *in;
}

void LightGcn::forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) {
  COHORT_CHECK(out.rows >= rows.size() && out.columns == propagation_.columns());
  HaloMatrix& in = propagate_to_last(base);
  if (layers_ == 0) {
    propagation_.over(rows, [&](Rows part, std::int64_t place) {
      for (std::size_t i = 0; i < part.size(); ++i) {
        std::copy_n(base.row(part[i].value), base.stride(), out.row(place + static_cast<std::int64_t>(i)));
      }
    });
    return;
  }
  const float mean = 1.0F / static_cast<float>(layers_ + 1);
  propagation_.over(in, rows, [&](Rows part, std::int64_t place) {
    spmm_block(propagation_.entries(), part, in.view(), base.view(), mean, out.slice(place, std::ssize(part)));
  });
}

ConstMatrixView LightGcn::forward(HaloMatrix& base) {
  HaloMatrix& in = propagate_to_last(base);
  if (layers_ == 0) return base.view();
  const float mean = 1.0F / static_cast<float>(layers_ + 1);
  HaloMatrix& out = next_buffer();
  propagation_.over(in, propagation_.all_rows(), [&](Rows part, std::int64_t /*place*/) {
    spmm(propagation_.entries(), part, in.view(), base.view(), mean, out.view());
  });
  return out.view();
}

MatrixView LightGcn::block_of(int thread, Rows rows) {
  return scratch_[thread].block.view().slice(0, std::ssize(rows));
}

void LightGcn::add_neighbours(const SparseGradient& gradient, Rows rows, float factor, Scratch& scratch,
                              MatrixView out) const {
  // Most of a row's neighbours have no gradient: what is left of the block's rows is again a sparse matrix, in the same
  // order, whose columns are places in the gradient.
  static const auto block_row = [] {
    std::vector<LocalRow> row(Propagation::block_rows);
    for (std::size_t i = 0; i < row.size(); ++i) row[i].value = static_cast<std::int32_t>(i);
    return row;
  }();
  const auto& adjacency = propagation_.graph().adjacency;
  std::size_t left = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    scratch.row_begin[i] = static_cast<std::int64_t>(left);
    const auto row = static_cast<std::size_t>(rows[i].value);
    for (const auto k : places_of(adjacency.row_begin, row)) {
      const std::int32_t place = place_[adjacency.column[k].value];
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
    const std::int32_t place = place_[rows[i].value];
    if (place >= 0) {
      add_scaled(factor, gradient.value.row(place), target(static_cast<std::int64_t>(i)), gradient.value.stride);
    }
  }
}

void LightGcn::backward(const SparseGradient& gradient, const GradientSink& sink) {
  const auto& rows = gradient.rows;
  COHORT_CHECK(gradient.value.rows >= rows.size() + std::ssize(gradient.ghost) &&
               gradient.value.columns == propagation_.columns());
  std::int32_t place = 0;
  for (const Rows list : {rows.interior, rows.boundary, gradient.ghost}) {
    for (const LocalRow row : list) place_[row.value] = place++;
  }
  const float mean = 1.0F / static_cast<float>(layers_ + 1);
  // The gradient is the first term of Horner's rule in every layer, Z <- G + Ahat Z; the first Z is G itself.
  const auto finish = [&](Rows part, MatrixView block) {
    add_own(gradient, part, mean, [&](std::int64_t i) { return block.row(i); });
    sink(part, block);
  };
  HaloMatrix* in = nullptr;
  if (layers_ == 0) {
    propagation_.in_blocks([&](Rows part, int thread) {
      const auto block = block_of(thread, part);
      std::fill_n(block.data, block.rows * block.stride, 0.0F);
      finish(part, block);
    });
  } else {
    if (layers_ > 1) in = &next_buffer();
    const float factor = layers_ == 1 ? mean : 1.0F;
    propagation_.in_blocks(gradient, [&](Rows part, int thread) {
      const auto block = block_of(thread, part);
      add_neighbours(gradient, part, factor, scratch_[thread], block);
      if (layers_ == 1) {
        finish(part, block);
        return;
      }
      add_own(gradient, part, 1.0F, [&](std::int64_t i) { return block.row(i); });
      for (std::size_t i = 0; i < part.size(); ++i) {
        std::copy_n(block.row(static_cast<std::int64_t>(i)), block.stride, in->row(part[i].value));
      }
    });
  }
  for (std::int64_t layer = 2; layer < layers_; ++layer) {
    HaloMatrix& out = next_buffer();
    propagation_.over(*in, propagation_.all_rows(), [&](Rows part, std::int64_t /*place*/) {
      spmm(propagation_.entries(), part, in->view(), {}, 1.0F, out.view());
      add_own(gradient, part, 1.0F, [&](std::int64_t i) { return out.row(part[i].value); });
    });
    in = &out;
  }
  if (layers_ > 1) {
    propagation_.in_blocks(*in, [&](Rows part, int thread) {
      const auto block = block_of(thread, part);
      spmm_block(propagation_.entries(), part, in->view(), {}, mean, block);
      finish(part, block);
    });
  }
  for (const Rows list : {rows.interior, rows.boundary, gradient.ghost}) {
    for (const LocalRow row : list) place_[row.value] = -1;
  }
}

}  // namespace cohort
