// The gradient of a network, from the last layer to the first. Results of rows come from Propagation; the gradients of
// weights, which are sums over rows, are made of them afterwards, shard by shard.
#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "kernels/activations.hpp"
#include "kernels/outer.hpp"
#include "kernels/rows.hpp"
#include "model/network.hpp"

namespace cohort {

// The gradient itself where it has all rows in their order.
ConstMatrixView Network::start_gradient(const SparseGradient& gradient) {
  const auto& rows = gradient.rows;
  if (std::ssize(rows.interior) == graph_.owned()) return gradient.value.slice(0, graph_.owned());
  const auto out = by_result_.back().view();
  if (rows.size() < graph_.owned()) std::fill_n(out.data, out.rows * out.stride, 0.0F);
  std::int64_t place = 0;
  for (const Rows list : {rows.interior, rows.boundary}) {
    for (const LocalRow row : list) std::copy_n(gradient.value.row(place++), out.stride, out.row(row.value));
  }
  return out;
}

// gradients_[number] += left' right. left: without data, the features. Nothing comes to the rows of dropped columns.
template <class Next>
void Network::add_weight_gradient(const Slot& slot, std::size_t number, ConstMatrixView left, ConstMatrixView right,
                                  Next next) {
  auto& gradient = gradients_[number];
  const auto columns = right.columns;
  const bool first_layer = number < (is_sage() ? 2U : 1U);
  const bool by_features = first_layer && feature_columns_ > 0;
  const auto sums =
      shard_sum_.fold(gradient.rows() * columns, threads_, [&](std::int64_t shard, std::span<double> sum) {
        const auto [first, last] = rows_of(shard);
        if (first == last) return;
        if (by_features) {
          add_feature_products(first, last, right, sum);
        } else {
          add_outer_products(left.slice(first, last - first), right.slice(first, last - first), sum);
        }
        next(first, last - first);
      });
  for (std::int64_t r = 0; r < gradient.rows(); ++r) {
    if (first_layer && !slot.dropped_column.empty() && slot.dropped_column[r] != 0) continue;
    for (std::int64_t c = 0; c < columns; ++c) gradient.row(r)[c] += static_cast<float>(sums[r * columns + c]);
  }
}

void Network::add_feature_products(std::int64_t first, std::int64_t last, ConstMatrixView right,
                                   std::span<double> sum) const {
  for (auto row = first; row < last; ++row) {
    const float* const from = right.row(row);
    for (const auto e : places_of(feature_begin_, row)) {
      const auto value = static_cast<double>(feature_value_[e]);
      double* const to = sum.data() + feature_column_[e].value * right.columns;
      for (std::int64_t c = 0; c < right.columns; ++c) to[c] += value * static_cast<double>(from[c]);
    }
  }
}

void Network::hand_on(std::size_t l, ConstMatrixView in, std::int64_t first, MatrixView rows,
                      const GradientSink& sink) const {
  if (l == 0) {
    sink(Rows(owned_).subspan(first, rows.rows), rows);
  } else if (options_.activation == Activation::selu) {
    selu_backward(in.slice(first, rows.rows), rows);
  } else {
    relu_backward(in.slice(first, rows.rows), rows);
  }
}

void Network::backward(const SparseGradient& gradient, const GradientSink& sink) {
  const auto& slot = slots_.at(slot_);
  if (slot_ == 0) {
    for (auto& sum : gradients_) std::fill_n(sum.row(0), sum.rows() * sum.stride(), 0.0F);
  }
  const auto mixing = this->mixing(slot, true);
  const auto nothing = [](std::int64_t /*first*/, std::int64_t /*rows*/) {};
  ConstMatrixView by_result = start_gradient(gradient);
  HaloMatrix* filled = nullptr;  // with by_result, scaled before
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const auto& layer = layers_[l];
    const ConstMatrixView in = l > 0 ? ConstMatrixView(slot.result[l - 1].view()) : input_;
    const bool goes_on = l > 0 || feature_columns_ == 0;
    const PackedRows packed = goes_on ? PackedRows(weight(slot, l, 0).view()) : PackedRows();
    const PackedRows packed_own = goes_on && is_sage() ? PackedRows(weight(slot, l, 1).view()) : PackedRows();
    const auto add_own = [&](std::int64_t first, MatrixView rows) {
      if (!is_sage()) return;
      const auto own = scratch(0, rows.rows, rows.columns);
      inner_products(by_result.slice(first, rows.rows), packed_own, own);
      for (std::int64_t i = 0; i < rows.rows; ++i) add_row(own.row(i), rows.row(i), rows.stride);
    };
    if (is_sage()) add_weight_gradient(slot, layer.weight + 1, in, by_result, nothing);
    if (layer.product_first) {
      const MatrixView by_product = by_product_.at(layer.out).view();
      if (filled == nullptr) {
        mix(mixing, by_result, by_product);
      } else {
        propagate(mixing, *filled, by_product, nothing);
      }
      // What comes before wants its rows scaled, and nothing else.
      const bool straight_on = l > 0 && layers_[l - 1].product_first && !is_sage();
      filled = straight_on ? &next_buffer(layer.in) : nullptr;
      add_weight_gradient(slot, layer.weight, in, by_product, [&](std::int64_t begin, std::int64_t count) {
        if (!goes_on) return;
        in_blocks(begin, count, layer.in, [&](std::int64_t first, std::int64_t rows) {
          const MatrixView by_input = straight_on ? filled->view().slice(first, rows)
                                      : l > 0     ? by_result_[l - 1].view().slice(first, rows)
                                                  : scratch(1, rows, layer.in);
          inner_products(by_product.slice(first, rows), packed, by_input);
          add_own(first, by_input);
          hand_on(l, in, first, by_input, sink);
          if (straight_on) scale(mixing.before, first, by_input);
        });
      });
    } else {
      const MatrixView by_input = l > 0 ? by_result_[l - 1].view() : by_input_.view();
      HaloMatrix& halo = next_buffer(layer.in);
      add_weight_gradient(slot, layer.weight, slot.mixed[l].view(), by_result,
                          [&](std::int64_t begin, std::int64_t count) {
                            in_blocks(begin, count, layer.in, [&](std::int64_t first, std::int64_t rows) {
                              const MatrixView by_mixed = halo.view().slice(first, rows);
                              inner_products(by_result.slice(first, rows), packed, by_mixed);
                              scale(mixing.before, first, by_mixed);
                            });
                          });
      propagate(mixing, halo, by_input, nothing);
      by_block(layer.in, [&](std::int64_t first, std::int64_t count) {
        const auto rows = by_input.slice(first, count);
        add_own(first, rows);
        hand_on(l, in, first, rows, sink);
      });
      filled = nullptr;
    }
    if (l > 0) by_result = by_result_[l - 1].view();
  }
}

}  // namespace cohort
