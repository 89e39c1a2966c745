#include "model/network.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "graph/id_numbers.hpp"
#include "kernels/activations.hpp"
#include "kernels/rows.hpp"
#include "kernels/scores.hpp"

namespace cohort {

Network::Network(const Communicator& comm, Propagation& propagation, const NetworkOptions& options,
                 const InputFeatures& features)
    : comm_(comm),
      graph_(propagation.graph()),
      propagation_(propagation),
      options_(options),
      shard_sum_(comm, propagation.graph().layout),
      threads_(propagation.threads()),
      shards_(propagation.graph().layout.shards_of_rank.count(comm.rank())) {
  COHORT_CHECK(options.kind == EncoderKind::gcn || options.kind == EncoderKind::sage);
  keep_weights();
  keep_features(features);
  make_layers();
}

// The graph has a_ij / sqrt(d_i d_j).
void Network::keep_weights() {
  const auto ghost_degree =
      IndexPlan(comm_, graph_.positions, numbers(graph_.ghost)).fetch(std::span<const double>(graph_.degree));
  comm_.attempt([&] {
    const auto& adjacency = graph_.adjacency;
    value_.resize(adjacency.value.size());
    for (std::int32_t row = 0; std::cmp_less(row, graph_.owned()); ++row) owned_.push_back(LocalRow{row});
    by_shard([&](std::int64_t first, std::int64_t count) {
      for (auto row = first; row < first + count; ++row) {
        for (const auto e : places_of(adjacency.row_begin, row)) {
          const auto column = adjacency.column[e].value;
          const double degree = column < graph_.owned() ? graph_.degree[column] : ghost_degree[column - graph_.owned()];
          value_[e] =
              static_cast<float>(static_cast<double>(adjacency.value[e]) * std::sqrt(graph_.degree[row] * degree));
        }
      }
    });
    scale_by_degree(value_, false, plain_scale_);
  });
}

void Network::keep_features(const InputFeatures& features) {
  given_columns_ = features.columns - features.stand_ins;
  if (features.columns == 0) return;
  const auto begin = features.rows.row_begin;
  COHORT_CHECK(std::ssize(begin) == graph_.owned() + 1);
  bool empty = false;
  for (std::size_t row = 0; row + 1 < begin.size(); ++row) empty = empty || begin[row] == begin[row + 1];
  feature_columns_ = features.columns + (comm_.any(empty) ? 1 : 0);
  comm_.attempt([&] {
    feature_begin_.assign(1, 0);
    for (std::size_t row = 0; row + 1 < begin.size(); ++row) {
      for (const auto e : places_of(begin, row)) {
        feature_column_.push_back(features.rows.column[e]);
        feature_value_.push_back(features.rows.value[e]);
      }
      if (begin[row] == begin[row + 1]) {
        feature_column_.push_back(LocalRow{static_cast<std::int32_t>(features.columns)});
        feature_value_.push_back(1.0F);
      }
      feature_begin_.push_back(std::ssize(feature_column_));
    }
  });
}

void Network::make_layers() {
  std::vector<std::int64_t> widths{feature_columns_ > 0 ? feature_columns_ : propagation_.columns()};
  widths.insert(widths.end(), options_.hidden.begin(), options_.hidden.end());
  widths.push_back(propagation_.columns());
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const bool by_features = l == 0 && feature_columns_ > 0;
    const Layer layer{widths[l], widths[l + 1], by_features || widths[l + 1] <= widths[l], weights_.size()};
    comm_.attempt([&] {
      // Both matrices of sage stand for one of twice the rows.
      const char* const names[] = {is_sage() ? "/mean" : "", "/self"};
      for (int w = 0; w < (is_sage() ? 2 : 1); ++w) {
        const auto number = static_cast<std::uint32_t>(weights_.size());
        weights_.push_back(
            glorot_weight("layer_" + std::to_string(l + 1) + names[w], layer.in, layer.out, options_.seed, number));
        gradients_.emplace_back(layer.in, layer.out);
      }
    });
    layers_.push_back(layer);
    const std::int64_t mixed = layer.product_first ? layer.out : layer.in;
    for (const auto columns : {mixed, propagation_.columns()}) {
      auto& lane = lanes_[columns];
      if (lane.propagation != nullptr) continue;
      if (columns != propagation_.columns()) {
        lane.own = std::make_unique<Propagation>(comm_, graph_, columns, threads_);
      }
      lane.propagation = lane.own ? lane.own.get() : &propagation_;
      for (auto& buffer : lane.buffer) buffer = lane.propagation->matrix();
    }
  }
  comm_.attempt([&] {
    for (const auto& layer : layers_) {
      by_result_.emplace_back(graph_.owned(), layer.out);
      for (const auto columns : {layer.in, layer.out}) {
        if (columns == feature_columns_ && &layer == &layers_.front()) continue;
        if (!product_.contains(columns)) product_.emplace(columns, Matrix(graph_.owned(), columns));
        if (is_sage() && !own_.contains(columns)) own_.emplace(columns, Matrix(graph_.owned(), columns));
      }
    }
    // The first layer's results may be as wide as the features.
    const auto first = layers_.front().out;
    if (!product_.contains(first)) product_.emplace(first, Matrix(graph_.owned(), first));
    if (is_sage() && !own_.contains(first)) own_.emplace(first, Matrix(graph_.owned(), first));
    if (feature_columns_ == 0) by_input_ = Matrix(graph_.owned(), propagation_.columns());
    if (options_.smoothings > 0) smooth_ = Matrix(graph_.owned(), propagation_.columns());
    outer_.resize(threads_);
  });
}

// 1 / sqrt(1 + d) (gcn) or 1 / d (sage; 0 where that is 0), d the sum of a row's entries in their order.
void Network::scale_by_degree(std::span<const float> value, bool sage, std::vector<float>& scale) const {
  scale.resize(graph_.owned());
  by_shard([&](std::int64_t first, std::int64_t count) {
    for (auto row = first; row < first + count; ++row) {
      double degree = 0;
      for (const auto e : places_of(graph_.adjacency.row_begin, row)) {
        degree += static_cast<double>(value[e]);
      }
      scale[row] =
          sage ? (degree > 0 ? static_cast<float>(1 / degree) : 0.0F) : static_cast<float>(1 / std::sqrt(1 + degree));
    }
  });
}

void Network::look(int view, const Corruption& corruption) {
  slot_ = static_cast<std::size_t>(view);
  comm_.attempt([&] {
    if (slots_.size() <= slot_) slots_.resize(slot_ + 1);
    auto& slot = slots_[slot_];
    if (slot.result.empty()) {
      for (const auto& layer : layers_) {
        slot.result.emplace_back(graph_.owned(), layer.out);
        slot.mixed.emplace_back(layer.product_first ? 0 : graph_.owned(), layer.in);
      }
    }
    drop(slot, corruption);
  });
}

void Network::drop(Slot& slot, const Corruption& corruption) {
  slot.value.clear();
  if (corruption.edges > 0) {
    const CounterRandom random(corruption.seed, Purpose::dropped_edges);
    slot.value.resize(value_.size());
    const auto nodes = static_cast<std::uint64_t>(graph_.users + graph_.items);
    const auto& adjacency = graph_.adjacency;
    by_shard([&](std::int64_t first, std::int64_t count) {
      for (auto row = first; row < first + count; ++row) {
        for (const auto e : places_of(adjacency.row_begin, row)) {
          const auto [low, high] = std::minmax(graph_.node[row], graph_.node[adjacency.column[e].value]);
          const auto pair = static_cast<std::uint64_t>(low.value) * nodes + static_cast<std::uint64_t>(high.value);
          slot.value[e] = random.uniform(pair, corruption.number) < corruption.edges ? 0.0F : value_[e];
        }
      }
    });
  }
  scale_by_degree(slot.value.empty() ? value_ : slot.value, is_sage(), slot.scale);
  slot.dropped_column.clear();
  slot.first_weight.clear();
  if (corruption.columns <= 0) return;
  const CounterRandom random(corruption.seed, Purpose::dropped_columns);
  const auto& layer = layers_.front();
  slot.dropped_column.assign(layer.in, 0);
  // What stands for a node without features is no feature.
  const auto columns = feature_columns_ > 0 ? given_columns_ : layer.in;
  for (std::int64_t c = 0; c < columns; ++c) {
    slot.dropped_column[c] =
        random.uniform(static_cast<std::uint64_t>(c), corruption.number) < corruption.columns ? 1 : 0;
  }
  for (std::size_t w = 0; w < (is_sage() ? 2U : 1U); ++w) {
    Matrix left = copy_of(weights_[layer.weight + w].value.view());
    for (std::int64_t c = 0; c < columns; ++c) {
      if (slot.dropped_column[c] != 0) std::fill_n(left.row(c), left.stride(), 0.0F);
    }
    slot.first_weight.push_back(std::move(left));
  }
}

const Matrix& Network::weight(const Slot& slot, std::size_t layer, std::size_t which) const {
  if (layer == 0 && !slot.first_weight.empty()) return slot.first_weight[which];
  return weights_[layers_[layer].weight + which].value;
}

Network::Mixing Network::mixing(const Slot& slot, bool backward) const {
  const std::span<const float> value = slot.value.empty() ? value_ : slot.value;
  if (!is_sage()) return {value, true, slot.scale, slot.scale};
  if (backward) return {value, false, slot.scale, {}};
  return {value, false, {}, slot.scale};
}

void Network::mix(const Mixing& mixing, ConstMatrixView in, MatrixView out) {
  auto& lane = lanes_.at(in.columns);
  lane.last = 1 - lane.last;
  HaloMatrix& halo = lane.buffer[lane.last];
  by_shard([&](std::int64_t first, std::int64_t count) {
    for (auto row = first; row < first + count; ++row) {
      const float factor = mixing.before.empty() ? 1.0F : mixing.before[row];
      scale_into(factor, in.row(row), halo.row(row), in.stride);
    }
  });
  const auto all = lane.propagation->entries();
  const SparseRows entries{all.row_begin, all.column, mixing.value};
  lane.propagation->over(halo, lane.propagation->all_rows(), [&](Rows part, std::int64_t /*place*/) {
    spmm(entries, part, halo.view(), mixing.loops ? ConstMatrixView(halo.view()) : ConstMatrixView(), 1.0F, out);
    if (mixing.after.empty()) return;
    for (const LocalRow row : part) {
      scale_into(mixing.after[row.value], out.row(row.value), out.row(row.value), out.stride);
    }
  });
}

void Network::multiply(ConstMatrixView in, const Matrix& weight, bool transpose, MatrixView out) const {
  // <row of in, row of what is packed>.
  const auto packed = transpose ? PackedRows(weight.view()) : PackedRows(transposed(weight.view()).view());
  by_shard([&](std::int64_t first, std::int64_t count) {
    inner_products(in.slice(first, count), packed, out.slice(first, count));
  });
}

void Network::multiply_input(ConstMatrixView base, std::size_t layer, const Matrix& weight, MatrixView out) const {
  if (layer > 0 || feature_columns_ == 0) {
    multiply(base, weight, false, out);
    return;
  }
  const SparseRows features{feature_begin_, feature_column_, feature_value_};
  by_shard([&](std::int64_t first, std::int64_t count) {
    spmm(features, Rows(owned_).subspan(first, count), weight.view(), {}, 1.0F, out);
  });
}

void Network::add(ConstMatrixView addend, MatrixView out) const {
  by_shard([&](std::int64_t first, std::int64_t count) {
    for (auto row = first; row < first + count; ++row) add_row(addend.row(row), out.row(row), out.stride);
  });
}

void Network::activate(MatrixView rows) const {
  by_shard([&](std::int64_t first, std::int64_t count) {
    const auto part = rows.slice(first, count);
    options_.activation == Activation::selu ? selu(part) : relu(part);
  });
}

// Of what the slot leaves; keeps what backward() needs. product_ and own_ hold what was added up until the next call.
ConstMatrixView Network::run_layer(Slot& slot, std::size_t l, ConstMatrixView in) {
  const auto& layer = layers_[l];
  auto& result = slot.result[l];
  if (layer.product_first) {
    auto& product = product_.at(layer.out);
    multiply_input(in, l, weight(slot, l, 0), product.view());
    mix(mixing(slot, false), product.view(), result.view());
  } else {
    mix(mixing(slot, false), in, slot.mixed[l].view());
    multiply(slot.mixed[l].view(), weight(slot, l, 0), false, result.view());
  }
  if (is_sage()) {
    auto& own = own_.at(layer.out);
    multiply_input(in, l, weight(slot, l, 1), own.view());
    add(own.view(), result.view());
  }
  if (l + 1 < layers_.size()) activate(result.view());
  return result.view();
}

ConstMatrixView Network::run(Slot& slot, ConstMatrixView base) {
  for (std::size_t l = 0; l < layers_.size(); ++l) base = run_layer(slot, l, base);
  return base;
}

void Network::forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) {
  input_ = base.view();
  const auto result = run(slots_.at(slot_), input_);
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

std::int64_t Network::bytes_sent() const {
  std::int64_t bytes = 0;
  for (const auto& [columns, lane] : lanes_) bytes += lane.own ? lane.own->bytes_sent() : 0;
  return bytes;
}

double Network::waiting_seconds() const {
  double seconds = 0;
  for (const auto& [columns, lane] : lanes_) seconds += lane.own ? lane.own->waiting_seconds() : 0;
  return seconds;
}

}  // namespace cohort
