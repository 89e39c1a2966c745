#include "items/user_group.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/score_bars.hpp"
#include "kernels/scores.hpp"

namespace cohort {

namespace {

// A score by itself takes some eight times as long as one of a whole tile.
constexpr std::int64_t most_scattered = 8;
// Of the time of all scores, what bounds must not exceed to be used.
constexpr double most_cost = 0.9;
// Below it a bound may be too small (score_bounds.hpp).
constexpr float least_bounded_score = 16 * std::numeric_limits<float>::min();
// Items that users of the group probably like, by which it is known early what an item must reach.
constexpr std::int64_t least_likely_items = 256;
constexpr std::int64_t likely_items_a_place = 8;

}  // namespace

UserGroup::UserGroup(const TopItemsQuery& query, std::span<const std::int64_t> users, std::span<TopK> best,
                     const ItemPiece& piece, bool bounded)
    : query_(query),
      users_(users),
      best_(best),
      piece_(piece),
      rows_(std::ssize(users), query.users.columns),
      some_rows_(user_block, rows_.columns()),
      scores_(user_block, piece.tile_items),
      order_(users.size()),
      floor_(users.size(), -std::numeric_limits<float>::infinity()) {
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  bounded = bounded && std::ssize(users) >= user_block && !piece.tiles.empty();
  if (bounded) order_by_angle();
  for (std::int64_t i = 0; i < rows_.rows(); ++i) {
    std::memcpy(rows_.row(i), query.users.row(users[order_[i]]),
                static_cast<std::size_t>(rows_.columns()) * sizeof(float));
  }
  if (query.prior) {
    for (const auto i : order_) scale_.push_back(query.prior->scale[users[i]]);
    prior_.resize(scores_.stride());
  }
  if (!bounded) return;
  bounds_.emplace(rows_.view());
  if (bounds_->choices().empty()) {
    bounds_.reset();
    return;
  }
  for (auto* const of_items : {&reach_, &beside_first_, &near_prior_, &some_}) of_items->resize(scores_.stride());
  for (auto* const places : {&near_, &at_}) places->resize(scores_.stride());
  some_items_.resize(scores_.stride());
  near_columns_ = Matrix(bounds_->choices().back() + 2, piece.tile_items);
  // Before the first k items nothing says what the next must reach.
  if (std::ranges::any_of(best_, [](const TopK& of_user) { return std::isinf(of_user.least()); })) find_floors();
  choose_axes();
}

// By the angle to the users' mean: those of a block then have much the same, and what is near to none of them is passed
// over at once.
void UserGroup::order_by_angle() {
  const auto columns = rows_.columns();
  std::vector<double> mean(columns, 0.0);
  std::vector<double> length(users_.size());
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const auto row = query_.users.at(users_[i]);
    length[i] = std::sqrt(static_cast<double>(ScoreBounds::squared_length(row)));
    for (std::int64_t c = 0; c < columns; ++c) mean[c] += row[c] / length[i];
  }
  std::vector<double> cosine(users_.size(), 0.0);
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const auto row = query_.users.at(users_[i]);
    for (std::int64_t c = 0; c < columns; ++c) cosine[i] += mean[c] * row[c] / length[i];
    if (!std::isfinite(cosine[i])) cosine[i] = 0;
  }
  std::ranges::stable_sort(order_, {}, [&](std::int64_t i) { return cosine[i]; });
}

void UserGroup::pass() {
  for (std::int64_t tile = 0; tile < std::ssize(piece_.tiles); ++tile) pass_tile(tile);
}

std::span<const std::int64_t> UserGroup::excluded(std::int64_t user) const {
  if (!query_.excluded) return {};
  return query_.excluded->row(users_[order_[user]]);
}

// What a score must not be below to be among the user's best.
float UserGroup::bar(std::int64_t user) const {
  return std::max(floor_[user], best_[order_[user]].least()) - least_bounded_score;
}

std::span<const float> UserGroup::squares_of(std::int64_t tile) const {
  return std::span(piece_.square).subspan(tile_begin(tile), piece_.tiles[tile].rows());
}

Matrix UserGroup::bounds_of(std::int64_t tile) const {
  return bounds_->of_items(piece_.tiles[tile], squares_of(tile));
}

// Those of the piece that go farthest in the direction of the group's mean, ascending.
std::vector<std::int32_t> UserGroup::likely_items() const {
  const auto items = piece_.rows.rows();
  const auto wanted = std::min(items, std::max(least_likely_items, likely_items_a_place * query_.k));
  Matrix score(1, items + piece_.tile_items);
  for (std::int64_t tile = 0; tile < std::ssize(piece_.tiles); ++tile) {
    float* const first = score.row(0) + tile_begin(tile);
    inner_products(bounds_->mean(), piece_.tiles[tile], MatrixView{first, 1, piece_.tile_items, piece_.tile_items});
  }
  std::vector<std::int32_t> place(items);
  std::iota(place.begin(), place.end(), 0);
  const float* const of = score.row(0);
  const auto key = [of](std::int32_t i) { return std::isnan(of[i]) ? -std::numeric_limits<float>::infinity() : of[i]; };
  std::nth_element(place.begin(), place.begin() + (wanted - 1), place.end(),
                   [&](std::int32_t a, std::int32_t b) { return key(a) > key(b); });
  place.resize(wanted);
  std::ranges::sort(place);
  return place;
}

void UserGroup::find_floors() {
  const auto likely = likely_items();
  const auto count = std::ssize(likely);
  Matrix rows(count, rows_.columns());
  std::vector<std::int64_t> numbers;
  std::vector<float> prior;
  if (query_.prior) {
    std::vector<float> of_all(piece_.rows.rows());
    piece_.prior_row(query_.prior->group[users_.front()], 0, of_all);
    prior.assign((count + 15) / 16 * 16, 0.0F);
    for (std::int64_t i = 0; i < count; ++i) prior[i] = of_all[likely[i]];
  }
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(rows.row(i), piece_.rows.row(likely[i]), static_cast<std::size_t>(rows.columns()) * sizeof(float));
    numbers.push_back(piece_.numbers[likely[i]]);
  }
  const PackedRows packed(rows.view());
  Matrix scores(user_block, count);
  for (std::int64_t first = 0; first < rows_.rows(); first += user_block) {
    const auto here = std::min(user_block, rows_.rows() - first);
    inner_products(rows_.view().slice(first, here), packed, scores.view());
    if (query_.prior) add_scaled_row(scores.view(), std::span(scale_).subspan(first, here), prior);
    for (std::int64_t u = 0; u < here; ++u) {
      TopK best(query_.k);
      best.offer({scores.row(u), numbers.size()}, numbers, excluded(first + u));
      floor_[first + u] = best.least();
    }
  }
}

// By what bounds leave of a tile in the middle for some of the users: bounds by more axes take longer and leave less.
void UserGroup::choose_axes() {
  const auto tile = std::ssize(piece_.tiles) / 2;
  if (query_.prior) piece_.prior_row(query_.prior->group[users_.front()], tile_begin(tile), prior_);
  const auto items = static_cast<double>(piece_.tiles[tile].rows());
  const auto first = (rows_.rows() - user_block) / 2;
  double least = most_cost;
  std::int64_t best = 0;
  for (const auto axes : bounds_->choices()) {
    bounds_->keep(axes);
    const auto bounds = bounds_of(tile);
    const auto near = find_near(bounds, tile, first, user_block);
    bound_near(bounds, near, first, user_block);
    double left = 0;
    for (std::int64_t u = 0; u < user_block; ++u) {
      left += static_cast<double>(not_below({scores_.row(u), static_cast<std::size_t>(near)}, bar(first + u), at_));
    }
    left /= static_cast<double>(user_block) * items;
    const double cost =
        static_cast<double>(axes + 2) / static_cast<double>(rows_.columns()) * (static_cast<double>(near) / items) +
        static_cast<double>(axes) / static_cast<double>(rows_.rows()) + static_cast<double>(most_scattered) * left;
    if (cost < least) {
      least = cost;
      best = axes;
    }
  }
  if (best == 0) {
    bounds_.reset();
  } else {
    bounds_->keep(best);
  }
}

void UserGroup::pass_tile(std::int64_t tile) {
  if (query_.prior) piece_.prior_row(query_.prior->group[users_.front()], tile_begin(tile), prior_);
  items_ = std::span(piece_.numbers).subspan(tile_begin(tile), piece_.tiles[tile].rows());
  const auto bounds = bounds_ ? bounds_of(tile) : Matrix();
  for (std::int64_t i = 0; i < rows_.rows(); i += user_block) {
    here_.resize(std::min(user_block, rows_.rows() - i));
    std::iota(here_.begin(), here_.end(), i);
    if (bounds_) take_by_bounds(bounds, tile, i);
    if (!here_.empty()) take_all(tile);
  }
}

// Fills near_ with the items of a tile that can be among the best of some of users [first, first + count), by the first
// axis alone and the extremes of the users' rows, each divided by the user's bar; returns how many they are.
std::int64_t UserGroup::find_near(const Matrix& bounds, std::int64_t tile, std::int64_t first, std::int64_t count) {
  const auto items = static_cast<std::size_t>(piece_.tiles[tile].rows());
  constexpr float infinity = std::numeric_limits<float>::infinity();
  struct Range {
    float least = infinity;
    float most = -infinity;
    void take(float x) {
      least = std::min(least, x);
      most = std::max(most, x);
    }
  };
  Range on_first;
  Range beside;
  Range slack;
  Range prior;
  bool all = false;
  const auto users = bounds_->of_users();
  for (auto u = first; u < first + count; ++u) {
    const float of_user = bar(u);
    if (!(of_user > 0)) all = true;
    on_first.take(users.row(u)[0] / of_user);
    beside.take(bounds_->users_beside_first()[u] / of_user);
    slack.take(users.row(u)[users.columns - 1] / of_user);
    prior.take(query_.prior ? scale_[u] / of_user : 0.0F);
  }
  if (all || !std::isfinite(on_first.most - on_first.least) || !std::isfinite(beside.most + slack.most) ||
      !std::isfinite(prior.most - prior.least)) {
    std::iota(near_.begin(), near_.begin() + static_cast<std::ptrdiff_t>(items), 0);
    return static_cast<std::int64_t>(items);
  }
  bounds_->items_beside_first(bounds, squares_of(tile), std::span(beside_first_).first(items));
  const float* const x = bounds.row(0);
  const float* const lost = bounds.row(bounds.rows() - 1);
  // What rounding can take from a sum of so few.
  constexpr float margin = 16 * std::numeric_limits<float>::epsilon();
  for (std::size_t i = 0; i < items; ++i) {
    const float along = std::max(on_first.most * x[i], on_first.least * x[i]);
    const float across = beside.most * beside_first_[i] + slack.most * lost[i];
    reach_[i] = along + across + margin * (std::abs(along) + across);
  }
  if (query_.prior) {
    for (std::size_t i = 0; i < items; ++i) {
      const float liked = std::max(prior.most * prior_[i], prior.least * prior_[i]);
      reach_[i] += liked + margin * (std::abs(liked) + std::abs(reach_[i]));
    }
  }
  return not_below(std::span(reach_).first(items), 1 - margin, near_);
}

// Into scores_, the bounds of users [first, first + count) and the first `near` items of near_.
void UserGroup::bound_near(const Matrix& bounds, std::int64_t near, std::int64_t first, std::int64_t count) {
  for (std::int64_t c = 0; c < bounds.rows(); ++c) {
    for (std::int64_t i = 0; i < near; ++i) near_columns_.row(c)[i] = bounds.row(c)[near_[i]];
  }
  const auto columns = near_columns_.view().slice(0, bounds.rows());
  inner_products(bounds_->of_users().slice(first, count), PackedRows::of_columns(columns, near), scores_.view());
  if (!query_.prior) return;
  std::ranges::fill(near_prior_, 0.0F);
  for (std::int64_t i = 0; i < near; ++i) near_prior_[i] = prior_[near_[i]];
  add_scaled_row(scores_.view(), std::span(scale_).subspan(first, count),
                 std::span(near_prior_).first(static_cast<std::size_t>((near + 15) / 16 * 16)));
}

// Computes the scores of users [first, first + here_.size()) that may be among their best, and leaves in here_ those of
// whom these are so many that a whole product is faster.
void UserGroup::take_by_bounds(const Matrix& bounds, std::int64_t tile, std::int64_t first) {
  const auto count = std::ssize(here_);
  const auto near = find_near(bounds, tile, first, count);
  here_.clear();
  if (near == 0) return;
  bound_near(bounds, near, first, count);
  const auto tile_rows = piece_.rows.view().slice(tile_begin(tile), std::ssize(items_));
  for (std::int64_t u = 0; u < count; ++u) {
    const auto found = not_below({scores_.row(u), static_cast<std::size_t>(near)}, bar(first + u), at_);
    if (found * most_scattered > std::ssize(items_)) {
      here_.push_back(first + u);
      continue;
    }
    for (std::int64_t j = 0; j < found; ++j) at_[j] = near_[at_[j]];
    inner_products_at(rows_.row(first + u), tile_rows, std::span(at_).first(found), some_);
    for (std::int64_t j = 0; j < found; ++j) {
      if (query_.prior) some_[j] = std::fma(scale_[first + u], prior_[at_[j]], some_[j]);
      some_items_[j] = items_[at_[j]];
    }
    best_[order_[first + u]].offer(std::span(some_).first(found), std::span(some_items_).first(found),
                                   excluded(first + u));
  }
}

// All scores of the users of here_, which are at most a block.
void UserGroup::take_all(std::int64_t tile) {
  const auto count = std::ssize(here_);
  std::array<float, user_block> scale{};
  for (std::int64_t u = 0; u < count; ++u) {
    std::memcpy(some_rows_.row(u), rows_.row(here_[u]), static_cast<std::size_t>(rows_.columns()) * sizeof(float));
    if (query_.prior) scale[u] = scale_[here_[u]];
  }
  inner_products(some_rows_.view().slice(0, count), piece_.tiles[tile], scores_.view());
  if (query_.prior) add_scaled_row(scores_.view(), std::span(scale).first(count), prior_);
  for (std::int64_t u = 0; u < count; ++u) {
    best_[order_[here_[u]]].offer({scores_.row(u), items_.size()}, items_, excluded(here_[u]));
  }
}

}  // namespace cohort
