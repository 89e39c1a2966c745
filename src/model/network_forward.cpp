// The network from layer 0 to the embedding. What a layer writes goes through the cache once: products straight into
// the rows that are mixed, scaled where they are, results activated block by block.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "kernels/activations.hpp"
#include "kernels/rows.hpp"
#include "model/network.hpp"

namespace cohort {

std::pair<std::int64_t, std::int64_t> Network::rows_of(std::int64_t shard) const {
  const auto k = static_cast<std::int32_t>(shard);
  return {graph_.shard_first_row(comm_.rank(), k), graph_.shard_first_row(comm_.rank(), k + 1)};
}

HaloMatrix& Network::next_buffer(std::int64_t columns) {
  auto& lane = lanes_.at(columns);
  lane.last = 1 - lane.last;
  return lane.buffer[lane.last];
}

ConstMatrixView Network::last_mixed(std::int64_t columns) const {
  const auto& lane = lanes_.at(columns);
  return lane.buffer[lane.last].view();
}

SparseRows Network::entries_of(const Propagation& propagation, const Mixing& mixing) const {
  const auto all = propagation.entries();
  return {all.row_begin, all.column, mixing.value};
}

ConstMatrixView Network::own_rows(const Mixing& mixing, const HaloMatrix& halo) {
  return mixing.loops ? halo.view() : ConstMatrixView();
}

void Network::scale(std::span<const float> factor, std::int64_t first, MatrixView out) {
  if (factor.empty()) return;
  scale_rows(factor.subspan(first, out.rows), out, out);
}

MatrixView Network::scratch(int which, std::int64_t rows, std::int64_t columns) const {
  auto& of_thread = scratch_[omp_get_thread_num()];
  COHORT_CHECK(rows * padded_stride(columns) <= of_thread.stride());
  return {of_thread.row(which), rows, columns, padded_stride(columns)};
}

void Network::mix(const Mixing& mixing, ConstMatrixView in, MatrixView out) {
  HaloMatrix& halo = next_buffer(in.columns);
  by_shard([&](std::int64_t first, std::int64_t count) {
    const auto rows = halo.view().slice(first, count);
    if (mixing.before.empty()) {
      std::copy_n(in.row(first), count * in.stride, rows.data);
    } else {
      scale_rows(mixing.before.subspan(first, count), in.slice(first, count), rows);
    }
  });
  propagate(mixing, halo, out, [](std::int64_t /*first*/, std::int64_t /*rows*/) {});
}

Network::Product Network::product_with(const Slot& slot, std::size_t l, std::size_t which) const {
  const auto& matrix = weight(slot, l, which);
  if (l == 0 && feature_columns_ > 0) return {&matrix, {}};
  return {&matrix, PackedRows(transposed(matrix.view()).view())};  // <row of in, row of what is packed>
}

void Network::multiply_input(ConstMatrixView in, std::size_t l, const Product& product, std::int64_t first,
                             MatrixView out) const {
  if (l > 0 || feature_columns_ == 0) {
    inner_products(in.slice(first, out.rows), product.packed, out);
    return;
  }
  const SparseRows features{feature_begin_, feature_column_, feature_value_};
  spmm_block(features, Rows(owned_).subspan(first, out.rows), product.weight->view(), {}, 1.0F, out);
}

void Network::add_product(ConstMatrixView in, std::size_t l, const Product& product, std::int64_t first,
                          MatrixView out) const {
  const auto addend = scratch(0, out.rows, out.columns);
  multiply_input(in, l, product, first, addend);
  for (std::int64_t i = 0; i < out.rows; ++i) add_row(addend.row(i), out.row(i), out.stride);
}

void Network::activate(MatrixView rows) const {
  options_.activation == Activation::selu ? selu(rows) : relu(rows);
}

HaloMatrix& Network::fill(const Slot& slot, std::size_t l, ConstMatrixView in) {
  const auto& layer = layers_[l];
  const auto before = mixing(slot, false).before;
  HaloMatrix& halo = next_buffer(layer.product_first ? layer.out : layer.in);
  const auto product = layer.product_first ? product_with(slot, l, 0) : Product();
  by_block(halo.columns(), [&](std::int64_t first, std::int64_t count) {
    const auto rows = halo.view().slice(first, count);
    if (layer.product_first) {
      multiply_input(in, l, product, first, rows);
    } else {
      std::copy_n(in.row(first), count * in.stride, rows.data);
    }
    scale(before, first, rows);
  });
  return halo;
}

// Of what the slot leaves; keeps what backward() needs.
ConstMatrixView Network::run_layer(Slot& slot, std::size_t l, ConstMatrixView in) {
  const auto& layer = layers_[l];
  const auto& mixed = slot.mixed[l];
  const auto result = slot.result[l].view();
  const bool activated = l + 1 < layers_.size();
  HaloMatrix& halo = fill(slot, l, in);
  if (layer.product_first) {
    propagate(mixing(slot, false), halo, result, [&](std::int64_t first, std::int64_t rows) {
      if (!is_sage() && activated) activate(result.slice(first, rows));
    });
    if (!is_sage()) return result;
  } else {
    propagate(mixing(slot, false), halo, slot.mixed[l].view(), [](std::int64_t /*first*/, std::int64_t /*rows*/) {});
  }
  const auto product = layer.product_first ? Product() : product_with(slot, l, 0);
  const auto own = is_sage() ? product_with(slot, l, 1) : Product();
  by_block(layer.out, [&](std::int64_t first, std::int64_t count) {
    const auto rows = result.slice(first, count);
    if (!layer.product_first) inner_products(mixed.view().slice(first, count), product.packed, rows);
    if (is_sage()) add_product(in, l, own, first, rows);
    if (activated) activate(rows);
  });
  return result;
}

ConstMatrixView Network::run(Slot& slot, ConstMatrixView base) {
  for (std::size_t l = 0; l < layers_.size(); ++l) base = run_layer(slot, l, base);
  return base;
}

void Network::run_last_layer(Slot& slot, ConstMatrixView in, const RowSelection& rows, MatrixView out) {
  const std::size_t l = layers_.size() - 1;
  const auto mixing = this->mixing(slot, false);
  HaloMatrix& halo = fill(slot, l, in);
  const auto own = is_sage() ? product_with(slot, l, 1) : Product();
  auto& propagation = *lanes_.at(halo.columns()).propagation;
  const auto entries = entries_of(propagation, mixing);
  propagation.over(halo, rows, [&](Rows part, std::int64_t place) {
    in_blocks(0, std::ssize(part), halo.columns(), [&](std::int64_t begin, std::int64_t count) {
      const auto block = part.subspan(begin, count);
      const auto result = out.slice(place + begin, count);
      spmm_block(entries, block, halo.view(), own_rows(mixing, halo), mixing.after, result);
      for (std::int64_t i = 0; is_sage() && i < count;) {
        const std::int64_t first = block[i].value;
        const std::int64_t begun = i;
        while (i < count && block[i].value == first + i - begun) ++i;
        add_product(in, l, own, first, result.slice(begun, i - begun));
      }
    });
  });
}

void Network::forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) {
  auto& slot = slots_.at(slot_);
  input_ = base.view();
  ConstMatrixView in = input_;
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) in = run_layer(slot, l, in);
  if (layers_.back().product_first) {
    run_last_layer(slot, in, rows, out);
    return;
  }
  const auto result = run_layer(slot, layers_.size() - 1, in);
  propagation_.over(rows, [&](Rows part, std::int64_t place) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      std::copy_n(result.row(part[i].value), result.stride, out.row(place + static_cast<std::int64_t>(i)));
    }
  });
}

// Zeros stay so.
void Network::to_direction(const float* row, float* out, std::int64_t stride) {
  const double length = std::sqrt(row_dot(row, row, stride));
  scale_into(length > 0 ? static_cast<float>(1 / length) : 0.0F, row, out, stride);
}

void Network::keep_directions(ConstMatrixView result) {
  by_shard([&](std::int64_t first, std::int64_t count) {
    for (auto row = first; row < first + count; ++row) to_direction(result.row(row), smooth_.row(row), result.stride);
  });
}

ConstMatrixView Network::smoothed(ConstMatrixView result, std::span<const float> value, std::span<const float> scale) {
  if (options_.smoothings == 0) return result;
  keep_directions(result);
  for (int s = 0; s < options_.smoothings; ++s) mix({value, true, scale, scale}, smooth_.view(), smooth_.view());
  return smooth_.view();
}

ConstMatrixView Network::forward(HaloMatrix& base) {
  look(0, {});
  return smoothed(run(slots_.front(), base.view()), value_, plain_scale_);
}

ConstMatrixView Network::forward_without(HaloMatrix& base, NodeId node, std::span<const NodeId> others) {
  look(0, {});
  auto& slot = slots_.front();
  std::vector<float> scale;
  comm_.attempt([&] {
    slot.value = value_;
    const auto& adjacency = graph_.adjacency;
    for (std::int64_t row = 0; row < graph_.owned(); ++row) {
      const auto own = graph_.node[row];
      const bool one_of_them = std::ranges::binary_search(others, own);
      if (own != node && !one_of_them) continue;
      for (const auto e : places_of(adjacency.row_begin, row)) {
        const auto other = graph_.node[adjacency.column[e].value];
        const bool left_out =
            (own == node && std::ranges::binary_search(others, other)) || (one_of_them && other == node);
        if (left_out) slot.value[e] = 0;
      }
    }
    scale_by_degree(slot.value, is_sage(), slot.scale);
    scale_by_degree(slot.value, false, scale);
  });
  return smoothed(run(slot, base.view()), slot.value, scale);
}

}  // namespace cohort
