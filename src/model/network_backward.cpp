// The gradient of a network, from the last layer to the first. Results of rows come from Propagation; the gradients of
// weights, which are sums over rows, are made of them afterwards, shard by shard.
#include <omp.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "kernels/activations.hpp"
#include "model/network.hpp"

namespace cohort {

void Network::start_gradient(const SparseGradient& gradient, MatrixView out) const {
  std::fill_n(out.data, out.rows * out.stride, 0.0F);
  std::int64_t place = 0;
  for (const Rows list : {gradient.rows.interior, gradient.rows.boundary}) {
    for (const LocalRow row : list) std::copy_n(gradient.value.row(place++), out.stride, out.row(row.value));
  }
}

// gradients_[number] += left' right. left: without data, the features. Nothing comes to the rows of dropped columns.
void Network::add_weight_gradient(const Slot& slot, std::size_t number, ConstMatrixView left, ConstMatrixView right) {
  auto& gradient = gradients_[number];
  const auto columns = right.columns;
  const auto rows_of = [&](std::int64_t shard) {
    const auto k = static_cast<std::int32_t>(shard);
    return std::pair(graph_.shard_first_row(comm_.rank(), k), graph_.shard_first_row(comm_.rank(), k + 1));
  };
  const auto add_products = [&](std::int64_t shard, std::span<double> sum) {
    const auto [first, last] = rows_of(shard);
    outer_[omp_get_thread_num()].add(left.slice(first, last - first), right.slice(first, last - first), sum);
  };
  const auto add_features = [&](std::int64_t shard, std::span<double> sum) {
    const auto [first, last] = rows_of(shard);
    for (auto row = first; row < last; ++row) {
      const float* const from = right.row(row);
      for (const auto e : places_of(feature_begin_, row)) {
        const auto value = static_cast<double>(feature_value_[e]);
        double* const to = sum.data() + feature_column_[e].value * columns;
        for (std::int64_t c = 0; c < columns; ++c) to[c] += value * static_cast<double>(from[c]);
      }
    }
  };
  const auto width = gradient.rows() * columns;
  const bool first_layer = number < (is_sage() ? 2U : 1U);
  const auto sums = first_layer && feature_columns_ > 0 ? shard_sum_.fold(width, threads_, add_features)
                                                        : shard_sum_.fold(width, threads_, add_products);
  for (std::int64_t r = 0; r < gradient.rows(); ++r) {
    if (first_layer && !slot.dropped_column.empty() && slot.dropped_column[r] != 0) continue;
    for (std::int64_t c = 0; c < columns; ++c) gradient.row(r)[c] += static_cast<float>(sums[r * columns + c]);
  }
}

void Network::backward(const SparseGradient& gradient, const GradientSink& sink) {
  const auto& slot = slots_.at(slot_);
  if (slot_ == 0) {
    for (auto& sum : gradients_) std::fill_n(sum.row(0), sum.rows() * sum.stride(), 0.0F);
  }
  start_gradient(gradient, by_result_.back().view());
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const auto& layer = layers_[l];
    const ConstMatrixView by_result = by_result_[l].view();
    const ConstMatrixView in = l > 0 ? ConstMatrixView(slot.result[l - 1].view()) : input_;
    const bool goes_on = l > 0 || feature_columns_ == 0;
    const MatrixView by_input = l > 0 ? by_result_[l - 1].view() : by_input_.view();
    if (is_sage()) add_weight_gradient(slot, layer.weight + 1, in, by_result);
    if (layer.product_first) {
      const MatrixView by_product = product_.at(layer.out).view();
      mix(mixing(slot, true), by_result, by_product);
      add_weight_gradient(slot, layer.weight, in, by_product);
      if (goes_on) multiply(by_product, weight(slot, l, 0), true, by_input);
    } else {
      add_weight_gradient(slot, layer.weight, slot.mixed[l].view(), by_result);
      const MatrixView by_mixed = product_.at(layer.in).view();
      multiply(by_result, weight(slot, l, 0), true, by_mixed);
      mix(mixing(slot, true), by_mixed, by_input);
    }
    if (!goes_on) return;
    if (is_sage()) {
      auto& own = own_.at(layer.in);
      multiply(by_result, weight(slot, l, 1), true, own.view());
      add(own.view(), by_input);
    }
    by_shard([&](std::int64_t first, std::int64_t count) {
      if (l == 0) {
        sink(Rows(owned_).subspan(first, count), by_input.slice(first, count));
      } else if (options_.activation == Activation::selu) {
        selu_backward(in.slice(first, count), by_input.slice(first, count));
      } else {
        relu_backward(in.slice(first, count), by_input.slice(first, count));
      }
    });
  }
}

}  // namespace cohort
