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
    if (is_sage()) scale_by_degree(value_, true, mean_scale_);
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
    std::int64_t widest = 0;
    for (const auto& layer : layers_) {
      by_result_.emplace_back(graph_.owned(), layer.out);
      if (layer.product_first) by_product_.try_emplace(layer.out, graph_.owned(), layer.out);
      widest = std::max({widest, layer.out, &layer == &layers_.front() && feature_columns_ > 0 ? 0 : layer.in});
    }
    if (feature_columns_ == 0 && !layers_.front().product_first) {
      by_input_ = Matrix(graph_.owned(), propagation_.columns());
    }
    for (int thread = 0; thread < threads_; ++thread) {
      scratch_.emplace_back(2, std::max(block_floats, 16 * padded_stride(widest)));
    }
    if (options_.smoothings > 0) smooth_ = Matrix(graph_.owned(), propagation_.columns());
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
  if (slot.value.empty()) {
    slot.scale.clear();
  } else {
    scale_by_degree(slot.value, is_sage(), slot.scale);
  }
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
  const bool whole = slot.value.empty();
  const std::span<const float> value = whole ? value_ : slot.value;
  const std::span<const float> scale = !whole ? slot.scale : is_sage() ? mean_scale_ : plain_scale_;
  if (!is_sage()) return {value, true, scale, scale};
  if (backward) return {value, false, scale, {}};
  return {value, false, {}, scale};
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
