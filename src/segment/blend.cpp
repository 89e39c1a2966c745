#include "segment/blend.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "comm/row_exchange.hpp"
#include "core/random.hpp"
#include "ingest/distinct.hpp"
#include "ingest/index_plan.hpp"
#include "segment/blend_query.hpp"
#include "segment/ranking.hpp"
#include "segment/score_scale.hpp"

namespace cohort {

namespace {

constexpr double validation_users = 5000;  // expected
constexpr double held_back_share = 0.2;
constexpr int largest_smoothing_bits = 30;
constexpr double smallest_weight = 0.05;
constexpr int weights = 9;
constexpr std::int64_t validation_cut_off = 20;

void add(PairTable& table, std::int64_t item) {
  table.other.push_back(item);
  table.weight.push_back(1.0F);
}

// Divides the interactions of the users drawn; fills users, left, held_back.
void draw(const Communicator& comm, const Population& population, std::uint64_t seed, Validation& validation) {
  const CounterRandom of_users(seed, Purpose::validation_users);
  const CounterRandom of_pairs(seed, Purpose::validation_pairs);
  const auto& all = *population.interactions;
  const auto first = population.user_blocks->begin(comm.rank());
  const double share = validation_users / static_cast<double>(population.user_blocks->total());
  std::vector<std::int64_t> held;
  for (std::int64_t u = 0; u < all.rows(); ++u) {
    const auto user = static_cast<std::uint64_t>(first + u);
    if (of_users.uniform(user) >= share) continue;
    const auto begin = static_cast<std::size_t>(all.row_begin[static_cast<std::size_t>(u)]);
    const auto end = static_cast<std::size_t>(all.row_begin[static_cast<std::size_t>(u) + 1]);
    held.clear();
    for (auto i = begin; i < end; ++i) {
      if (of_pairs.uniform(user, static_cast<std::uint32_t>(all.other[i])) < held_back_share)
        held.push_back(all.other[i]);
    }
    // One has to be left for the stand-in; a user from whom nothing is held back says nothing.
    if (held.size() == end - begin && !held.empty()) held.pop_back();
    if (held.empty()) continue;
    validation.users.push_back(u);
    auto next = held.begin();
    for (auto i = begin; i < end; ++i) {
      const bool is_held = next != held.end() && *next == all.other[i];
      if (is_held) ++next;
      add(is_held ? validation.held_back : validation.left, all.other[i]);
    }
    validation.left.row_begin.push_back(validation.left.size());
    validation.held_back.row_begin.push_back(validation.held_back.size());
  }
}

// Rows of this rank's and other ranks' items, by the list's order. wanted: ascending, no repeats. Collective.
Matrix fetch_rows(const Communicator& comm, const Distribution& blocks, ConstMatrixView mine,
                  std::span<const std::int64_t> wanted) {
  const auto columns = comm.max(mine.rows > 0 ? mine.columns : 0);
  const auto first = std::ranges::lower_bound(wanted, blocks.begin(comm.rank())) - wanted.begin();
  const auto last = std::ranges::lower_bound(wanted, blocks.end(comm.rank())) - wanted.begin();
  std::vector<Position> others;
  Matrix came;
  Matrix rows;
  comm.attempt([&] {
    for (std::int64_t i = 0; i < std::ssize(wanted); ++i) {
      if (i < first || i >= last) others.emplace_back(wanted[static_cast<std::size_t>(i)]);
    }
    came = Matrix(std::ssize(others), columns);
    rows = Matrix(std::ssize(wanted), columns);
  });
  const auto plan = plan_fetch(comm, blocks, others);
  RowExchange exchange(comm, columns);
  exchange.start(plan, mine, came.row(0));
  exchange.finish();
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    const bool own = i >= first && i < last;
    const auto* const row = own ? mine.row(wanted[static_cast<std::size_t>(i)] - blocks.begin(comm.rank()))
                                : came.row(i < first ? i : i - (last - first));
    std::memcpy(rows.row(i), row, static_cast<std::size_t>(columns) * sizeof(float));
  }
  return rows;
}

double length_of(std::span<const float> row) {
  double sum = 0;
  for (const auto value : row) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

std::int32_t nearest_segment(std::span<const float> row, const Population& population) {
  std::int32_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::int32_t s = 0; s < population.segments(); ++s) {
    const auto centroid = population.centroid.at(s);
    double inner = 0;
    double squared = 0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      inner += static_cast<double>(row[c]) * static_cast<double>(centroid[c]);
      squared += static_cast<double>(centroid[c]) * static_cast<double>(centroid[c]);
    }
    const auto distance = population.spherical ? (squared > 0 ? -inner / std::sqrt(squared) : 0) : squared - 2 * inner;
    if (distance < least) {
      least = distance;
      nearest = s;
    }
  }
  return nearest;
}

// Fills stand_in and segment. Collective.
void make_stand_ins(const Communicator& comm, const Population& population, Validation& validation) {
  Distinct items;
  comm.attempt([&] { items = distinct_of(validation.left.other); });
  const auto rows = fetch_rows(comm, *population.item_blocks, population.items, items.values);
  const auto users = IndexPlan(comm, *population.item_blocks, items.values)
                         .fetch(std::span<const std::int64_t>(validation.counts.users));
  comm.attempt([&] {
    validation.stand_in = Matrix(std::ssize(validation.users), rows.columns());
    validation.segment.resize(validation.users.size());
    std::vector<double> sum(static_cast<std::size_t>(rows.columns()));
    for (std::size_t u = 0; u < validation.users.size(); ++u) {
      std::ranges::fill(sum, 0.0);
      for (auto k = validation.left.row_begin[u]; k < validation.left.row_begin[u + 1]; ++k) {
        const auto place = items.place[static_cast<std::size_t>(k)];
        const auto factor = 1 / std::sqrt(static_cast<double>(users[place]));
        const auto row = rows.view().at(place);
        for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += factor * static_cast<double>(row[c]);
      }
      double length = 0;
      for (const auto value : sum) length += value * value;
      const auto factor = length > 0 ? length_of(population.users.at(validation.users[u])) / std::sqrt(length) : 0.0;
      const auto stand_in = validation.stand_in.view().at(static_cast<std::int64_t>(u));
      for (std::size_t c = 0; c < sum.size(); ++c) stand_in[c] = static_cast<float>(factor * sum[c]);
      validation.segment[u] = nearest_segment(stand_in, population);
    }
  });
}

std::vector<SegmentItem> pairs_of(const PairTable& pairs, std::span<const std::int32_t> segment) {
  std::vector<SegmentItem> result;
  for (std::size_t u = 0; u < segment.size(); ++u) {
    for (auto k = pairs.row_begin[u]; k < pairs.row_begin[u + 1]; ++k) {
      result.push_back({pairs.other[static_cast<std::size_t>(k)], segment[u]});
    }
  }
  return result;
}

}  // namespace

Validation hold_back(const Communicator& comm, const Population& population, const ItemCounts& counts,
                     std::uint64_t seed) {
  COHORT_CHECK(population.item_blocks->total() <= (std::int64_t{1} << 32), "item numbers are 32-bit counters");
  Validation validation;
  std::vector<SegmentItem> pairs;
  comm.attempt([&] {
    draw(comm, population, seed, validation);
    validation.counts = counts;
    std::vector<std::int32_t> segment;
    for (const auto user : validation.users) segment.push_back(population.segment[static_cast<std::size_t>(user)]);
    pairs = pairs_of(validation.held_back, segment);
  });
  take_out(comm, validation.counts, pairs);
  make_stand_ins(comm, population, validation);
  return validation;
}

double choose_smoothing(const Communicator& comm, const Validation& validation) {
  const auto& counts = validation.counts;
  std::vector<SegmentItem> pairs;
  comm.attempt([&] { pairs = pairs_of(validation.held_back, validation.segment); });
  const auto known = look_up(comm, counts, pairs);
  const auto total = comm.sum(std::ssize(pairs));
  // -log p < 64 = 2^6, so that all pairs together stay below 2^62.
  const int bits = 55 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(total)));
  std::vector<double> candidates{no_segments};
  for (int b = largest_smoothing_bits; b >= 0; --b) candidates.push_back(std::ldexp(1.0, b));
  std::vector<std::int64_t> likelihood(candidates.size(), 0);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto p = popularity_inside(popularity(known[i].users, counts.interactions, counts.blocks.total()),
                                       known[i].segment_users,
                                       counts.in_segment[static_cast<std::size_t>(pairs[i].segment)], candidates[c]);
      likelihood[c] += std::llround(std::ldexp(std::log(p), bits));
    }
  }
  comm.sum_in_place(std::span<std::int64_t>(likelihood));
  return candidates[static_cast<std::size_t>(std::ranges::max_element(likelihood) - likelihood.begin())];
}

BlendWeight choose_weight(const Communicator& comm, const Population& population, const RecommendModel& model,
                          const Validation& validation) {
  const ScoreScale scale(comm, population.items);
  LogPrior prior;
  comm.attempt([&] { prior = log_prior(validation.counts, model.choice.rows, model.smoothing); });
  TopItemsQuery query;
  query.users = validation.stand_in.view();
  query.items = model.choice.embeddings(population.items);
  query.blocks = &model.choice.blocks;
  query.numbers = model.choice.numbers;
  query.excluded = &validation.left;
  const auto ndcg = [&](double weight) {
    std::optional<BlendQuery> blend;
    comm.attempt([&] { blend.emplace(query.users, validation.segment, scale, prior, weight); });
    query.prior = blend->prior();
    return ranking_measures(comm, query, validation.held_back, std::span(&validation_cut_off, 1)).front().ndcg;
  };
  BlendWeight best{0, ndcg(0)};
  if (std::isnan(best.ndcg)) return best;
  for (int i = 0; i < weights; ++i) {
    const auto weight = std::ldexp(smallest_weight, i);
    if (const auto found = ndcg(weight); found > best.ndcg) best = {weight, found};
  }
  return best;
}

}  // namespace cohort
