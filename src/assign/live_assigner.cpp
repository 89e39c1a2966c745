// One user at a time. All inner products of one user are bound by reading the items from memory, so they are looked at
// from the longest to the shortest, until no item that is left can be among the best: |<e_u, e_i>| <= |e_u| |e_i|.
#include "assign/live_assigner.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "assign/fold_in.hpp"
#include "core/error.hpp"
#include "data/pair_table.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

// Few, so that a search stops early; many, so that one block is worth a call.
constexpr std::int64_t block_items = 512;

}  // namespace

EmbedUser embed_by_fold_in(const SegmentsFile& result) {
  return [&result](std::string_view /*user*/, std::span<const LocalRow> item, std::span<const float> weight,
                   MatrixView embedding) {
    fold_in_row(result.fold_in->rows.view(), item, weight, embedding.row(0));
    return true;
  };
}

LiveAssigner::LiveAssigner(const Communicator& comm, const SegmentsFile& result,
                           std::span<const std::int64_t> item_users, EmbedUser embed, const GraphConfig& graph,
                           const AssignOptions& options, Repeats repeats)
    : result_(result),
      embed_(std::move(embed)),
      weights_(graph),
      min_weight_(graph.min_weight),
      drop_zero_(graph.weight != EdgeWeighting::binary),
      options_(options),
      repeats_(repeats),
      popular_(popular_items(comm, result.items.distribution, item_users, options.count)),
      embedding_(1, result.segments.centroid.columns()),
      scores_(1, block_items) {
  COHORT_CHECK(comm.size() == 1);
  const auto& items = result.segments.items;
  const auto count = static_cast<std::size_t>(items.rows());
  COHORT_CHECK(items.rows() < std::numeric_limits<std::int32_t>::max());
  item_number_.reserve(count);
  std::vector<double> length(count);
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = 0; i < count; ++i) {
    const auto item = static_cast<std::int64_t>(i);
    if (item_users[i] > 0) item_number_.emplace(result.items[item], static_cast<std::int32_t>(item));
    length[i] = std::sqrt(row_dot(items.row(item), items.row(item), items.stride()));
  }
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::int64_t i) { return length[i]; });
  for (std::size_t first = 0; first < count; first += block_items) {
    const auto end = std::min(count, first + block_items);
    auto& block = blocks_.emplace_back();
    block.longest = length[order[first]];
    block.number.assign(order.begin() + static_cast<std::ptrdiff_t>(first),
                        order.begin() + static_cast<std::ptrdiff_t>(end));
    std::ranges::sort(block.number);
    Matrix rows(std::ssize(block.number), items.columns());
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
      std::memcpy(rows.row(i), items.row(block.number[i]), static_cast<std::size_t>(items.stride()) * sizeof(float));
    }
    block.rows = PackedRows(rows.view());
  }
}

void LiveAssigner::merge(std::span<const NamedInteraction> interactions, LiveAnswer& answer) {
  std::vector<PairRecord> found;
  std::vector<std::string_view> unknown;
  for (const auto& interaction : interactions) {
    if (interaction.weight < static_cast<float>(min_weight_) || (drop_zero_ && interaction.weight == 0)) continue;
    const auto place = item_number_.find(interaction.item);
    if (place == item_number_.end()) {
      unknown.push_back(interaction.item);
    } else {
      found.push_back({place->second, interaction.weight, static_cast<double>(found.size())});
    }
  }
  std::ranges::sort(unknown);
  answer.unknown = std::unique(unknown.begin(), unknown.end()) - unknown.begin();
  merge_repeats(found, repeats_);
  item_.clear();
  seen_.clear();
  weight_.clear();
  for (const auto& one : found) {
    const auto weight = weights_.interaction(one.weight);
    if (weight == 0) continue;
    const auto item = static_cast<std::int32_t>(one.other);
    item_.emplace_back(item);
    seen_.push_back(item);
    weight_.push_back(weight);
  }
  answer.known = std::ssize(item_);
}

void LiveAssigner::rank(const float* embedding) {
  TopK top(std::min(options_.count, result_.items.total()));
  const double length = std::sqrt(row_dot(embedding, embedding, embedding_.stride()));
  // What rounding may add to a float32 product of d terms.
  const double slack = 1 + static_cast<double>(embedding_.columns() + 2) * std::ldexp(1.0, -23);
  for (const auto& block : blocks_) {
    if (length * block.longest * slack < static_cast<double>(top.least())) break;
    inner_products(embedding_.view(), block.rows, scores_.view());
    top.offer({scores_.row(0), block.number.size()}, block.number, seen_);
  }
  best_ = top.sorted();
}

LiveAnswer LiveAssigner::answer(std::string_view user, std::span<const NamedInteraction> interactions) {
  LiveAnswer answer;
  merge(interactions, answer);
  if (answer.known == 0 || !embed_(user, item_, weight_, embedding_.view())) {
    answer.best = popular_;
    return answer;
  }
  answer.placement = place_at(embedding_.row(0), result_.segments, options_.level, options_.spherical);
  rank(embedding_.row(0));
  answer.best = best_;
  return answer;
}

}  // namespace cohort
