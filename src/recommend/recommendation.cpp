#include "recommend/recommendation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "recommend/blend_query.hpp"
#include "recommend/filter_ranking.hpp"
#include "recommend/score_scale.hpp"

namespace cohort {

namespace {

// Users that a thread takes at a time.
constexpr std::int64_t block_users = 256;

// A list's first items that a user has not had.
void pick(const RankedLists& lists, std::int32_t list, std::span<const std::int64_t> seen, std::int64_t count,
          std::vector<ScoredItem>& best) {
  best.clear();
  const auto l = static_cast<std::size_t>(list);
  for (auto i = lists.begin[l]; i < lists.begin[l + 1] && std::ssize(best) < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!std::ranges::binary_search(seen, lists.item[at])) best.push_back({lists.score[at], lists.item[at]});
  }
}

void append(RankedLists& lists, std::span<const ScoredItem> best) {
  for (const auto& item : best) {
    lists.item.push_back(item.item);
    lists.score.push_back(item.score);
  }
  lists.begin.push_back(std::ssize(lists.item));
}

// For each list, `count` and the most items that any of its users has had, of all ranks. Collective.
std::vector<std::int64_t> list_lengths(const Communicator& comm, const Population& population,
                                       const RecommendModel& model, bool one_list, std::int64_t count,
                                       const std::vector<std::int64_t>* chosen) {
  std::vector<std::int64_t> most(one_list ? 1 : static_cast<std::size_t>(population.segments()), 0);
  const auto users = chosen ? std::ssize(*chosen) : std::ssize(population.segment);
  for (std::int64_t i = 0; i < users; ++i) {
    const auto user = chosen ? (*chosen)[i] : i;
    auto& list = most[one_list ? 0 : population.segment[user]];
    list = std::max(list, std::ssize(population.interactions->row(user)));
  }
  // The largest, as the least of what is negative.
  for (auto& list : most) list = -list;
  comm.min_in_place(std::span<std::int64_t>(most));
  for (auto& list : most) list = std::min(model.choice.blocks.total(), count - list);
  return most;
}

TopItemsQuery query_of(const Population& population, const RecommendModel& model, std::int64_t count) {
  TopItemsQuery query;
  query.items = model.choice.embeddings(population.items);
  query.blocks = &model.choice.blocks;
  query.numbers = model.choice.numbers;
  query.k = count;
  return query;
}

FilterRanking filter_of(const Communicator& comm, const Population& population, const RecommendModel& model) {
  COHORT_CHECK(population.filter && !std::isnan(model.filter_power), "no filter");
  return {comm, *population.filter, population.items, *population.item_blocks, model.choice};
}

double weight_in(const RecommendModel& model, Strategy strategy) {
  return strategy == Strategy::filter ? 0 : model.filter_weight;
}

// What the users of each of these segments had: how many of them had an item. A row for each of this rank's segments.
PairTable segments_items(const Communicator& comm, const ItemCounts& counts, const Distribution& segments) {
  struct Count {
    std::int64_t item;
    std::int32_t segment;
    std::int32_t users;
  };
  std::vector<Count> outgoing;
  std::vector<std::int64_t> begin{0};
  comm.attempt([&] {
    const auto first = counts.blocks.begin(comm.rank());
    for (int rank = 0; rank < comm.size(); ++rank) {
      for (auto s = segments.begin(rank); s < segments.end(rank); ++s) {
        for (const auto k : places_of(counts.begin, s)) {
          const auto at = static_cast<std::size_t>(k);
          outgoing.push_back({first + counts.row[at], static_cast<std::int32_t>(s), counts.segment_users[at]});
        }
      }
      begin.push_back(std::ssize(outgoing));
    }
  });
  auto came = comm.exchange(std::span<const Count>(outgoing), std::span<const std::int64_t>(begin)).data;
  PairTable table;
  comm.attempt([&] {
    // Ranks hold ascending blocks of items.
    std::ranges::stable_sort(came, {}, &Count::segment);
    auto next = came.begin();
    for (auto s = segments.begin(comm.rank()); s < segments.end(comm.rank()); ++s) {
      for (; next != came.end() && next->segment == s; ++next) {
        table.other.push_back(next->item);
        table.weight.push_back(static_cast<float>(next->users));
      }
      table.row_begin.push_back(table.size());
    }
  });
  return table;
}

LogPrior prior_of(const Communicator& comm, const RecommendModel& model) {
  LogPrior prior;
  comm.attempt([&] { prior = log_prior(model.counts, model.choice.rows, model.smoothing); });
  return prior;
}

}  // namespace

const char* name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::automatic:
      return "auto";
    case Strategy::global:
      return "global";
    case Strategy::segment:
      return "segment";
    case Strategy::personal:
      return "personal";
    case Strategy::blend:
      return "blend";
    case Strategy::filter:
      return "filter";
    case Strategy::hybrid:
      return "hybrid";
    case Strategy::itemcf:
      return "itemcf";
  }
  return "";
}

bool can_make(const Population& population, const RecommendModel& model, Strategy strategy) {
  if (!is_filtered(strategy)) return true;
  return population.filter && !std::isnan(model.filter_power) &&
         (strategy == Strategy::filter || !std::isnan(model.filter_weight));
}

std::int64_t HeldBack::users() const {
  std::int64_t users = 0;
  for (std::int64_t u = 0; u < pairs.rows(); ++u) users += pairs.row(u).empty() ? 0 : 1;
  return users;
}

std::vector<std::int64_t> HeldBack::user_rows() const {
  std::vector<std::int64_t> rows;
  for (std::int64_t u = 0; u < pairs.rows(); ++u) {
    if (!pairs.row(u).empty()) rows.push_back(u);
  }
  return rows;
}

void recommend_to_users(const Communicator& comm, const Population& population, const RecommendModel& model,
                        Strategy strategy, std::int64_t count, const std::vector<std::int64_t>* chosen,
                        const TopItemsSink& sink) {
  if (strategy == Strategy::global || strategy == Strategy::segment) {
    const bool one_list = strategy == Strategy::global;
    const auto length = list_lengths(comm, population, model, one_list, count, chosen);
    const auto lists = one_list ? popular_items(comm, model.counts, model.choice.rows, length[0])
                                : popular_inside(comm, model.counts, model.choice.rows, model.smoothing, length);
    const auto users = chosen ? std::ssize(*chosen) : std::ssize(population.segment);
    comm.attempt([&] {
      for_each_in_parallel((users + block_users - 1) / block_users, [&](std::int64_t block) {
        std::vector<ScoredItem> best;
        for (auto i = block * block_users; i < std::min(users, (block + 1) * block_users); ++i) {
          const auto user = chosen ? (*chosen)[i] : i;
          pick(lists, one_list ? 0 : population.segment[user], population.interactions->row(user), count, best);
          sink(user, best);
        }
      });
    });
    return;
  }
  if (is_filtered(strategy)) {
    FilterSignals signals;
    signals.items = population.interactions;
    signals.excluded = population.interactions;
    signals.rows = population.users;
    signals.chosen = chosen;
    const auto weight = weight_in(model, strategy);
    auto ranking = filter_of(comm, population, model);
    ranking.rank(signals, {model.filter_ridge, model.filter_power, std::span(&weight, 1)}, count,
                 [&](std::size_t, std::int64_t user, std::span<const ScoredItem> best) { sink(user, best); });
    return;
  }
  auto query = query_of(population, model, count);
  query.users = population.users;
  query.kind = population.segment;
  query.excluded = population.interactions;
  query.chosen = chosen;
  if (strategy == Strategy::personal) {
    top_items(comm, query, sink);
    return;
  }
  const ScoreScale scale(comm, population.items);
  const auto prior = prior_of(comm, model);
  std::optional<BlendQuery> blend;
  comm.attempt([&] { blend.emplace(population.users, population.segment, scale, prior, model.blend_weight); });
  query.prior = blend->prior();
  top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> ranked) {
    thread_local std::vector<ScoredItem> best;
    best.assign(ranked.begin(), ranked.end());
    for (auto& item : best) item.score = blend->score(user, item.score);
    sink(user, best);
  });
}

PairTable widely_held(const Communicator& comm, const ItemCounts& counts, const Population& population) {
  const auto segments = static_cast<std::size_t>(population.segments());
  std::vector<std::int64_t> size;
  comm.attempt([&] {
    size.assign(segments, 0);
    for (const auto s : population.segment) ++size[s];
  });
  comm.sum_in_place(std::span<std::int64_t>(size));
  std::vector<SegmentItem> mine;  // by segment, items ascending
  comm.attempt([&] {
    const auto first = counts.blocks.begin(comm.rank());
    for (std::size_t s = 0; s < segments; ++s) {
      for (const auto k : places_of(counts.begin, s)) {
        const auto at = static_cast<std::size_t>(k);
        if (2 * static_cast<std::int64_t>(counts.segment_users[at]) <= size[s]) continue;
        mine.push_back({first + counts.row[at], static_cast<std::int32_t>(s)});
      }
    }
  });
  auto all = comm.all_gather(std::span<const SegmentItem>(mine)).data;
  PairTable held;
  comm.attempt([&] {
    // Ranks hold ascending blocks of items.
    std::ranges::stable_sort(all, {}, &SegmentItem::segment);
    held.row_begin.assign(segments + 1, 0);
    for (const auto& entry : all) {
      held.other.push_back(entry.item);
      ++held.row_begin[entry.segment + 1];
    }
    std::partial_sum(held.row_begin.begin(), held.row_begin.end(), held.row_begin.begin());
  });
  return held;
}

RankedLists recommend_to_segments(const Communicator& comm, const Population& population, const RecommendModel& model,
                                  Strategy strategy, std::int64_t count, const PairTable* left_out) {
  const auto segments = population.segments();
  if (strategy == Strategy::segment || strategy == Strategy::global) {
    const bool one_list = strategy == Strategy::global;
    std::vector<std::int64_t> length;  // so many that enough are left
    for (std::int32_t s = 0; s < segments; ++s) {
      length.push_back(count + (left_out ? std::ssize(left_out->row(s)) : 0));
    }
    const auto all = one_list ? popular_items(comm, model.counts, model.choice.rows, std::ranges::max(length))
                              : popular_inside(comm, model.counts, model.choice.rows, model.smoothing, length);
    RankedLists lists;
    comm.attempt([&] {
      std::vector<ScoredItem> best;
      for (std::int32_t s = 0; s < segments; ++s) {
        pick(all, one_list ? 0 : s, left_out ? left_out->row(s) : std::span<const std::int64_t>(), count, best);
        append(lists, best);
      }
    });
    return lists;
  }
  // Centroids are ranked as users would be, some on every rank.
  const auto blocks = Distribution::even(segments, comm.size());
  const auto first = blocks.begin(comm.rank());
  std::vector<std::int32_t> segment;
  for (auto s = first; s < blocks.end(comm.rank()); ++s) segment.push_back(static_cast<std::int32_t>(s));
  auto query = query_of(population, model, count);
  query.users = population.centroid.slice(first, blocks.count(comm.rank()));
  PairTable excluded;
  if (left_out) {
    comm.attempt([&] {
      for (const auto s : segment) {
        const auto items = left_out->row(s);
        excluded.other.insert(excluded.other.end(), items.begin(), items.end());
        excluded.row_begin.push_back(excluded.size());
      }
    });
    query.excluded = &excluded;
  }
  std::optional<BlendQuery> blend;
  std::optional<ScoreScale> scale;
  LogPrior prior;
  if (strategy == Strategy::blend) {
    scale.emplace(comm, population.items);
    prior = prior_of(comm, model);
    comm.attempt([&] { blend.emplace(query.users, segment, *scale, prior, model.blend_weight); });
    query.prior = blend->prior();
  }
  std::vector<std::vector<ScoredItem>> best(segment.size());
  const auto keep = [&](std::int64_t row, std::span<const ScoredItem> ranked) {
    auto& list = best[row];
    list.assign(ranked.begin(), ranked.end());
    for (auto& item : list) item.score = blend ? blend->score(row, item.score) : item.score;
  };
  if (is_filtered(strategy)) {
    const auto items = segments_items(comm, model.counts, blocks);
    FilterSignals signals;
    signals.items = &items;
    signals.weighed = true;
    signals.excluded = query.excluded;
    signals.rows = query.users;
    const auto weight = weight_in(model, strategy);
    auto ranking = filter_of(comm, population, model);
    ranking.rank(signals, {model.filter_ridge, model.filter_power, std::span(&weight, 1)}, count,
                 [&](std::size_t, std::int64_t row, std::span<const ScoredItem> ranked) { keep(row, ranked); });
  } else {
    top_items(comm, query, keep);
  }
  std::vector<ScoredItem> mine;
  std::vector<std::int64_t> size;
  for (const auto& list : best) {
    size.push_back(std::ssize(list));
    mine.insert(mine.end(), list.begin(), list.end());
  }
  RankedLists lists;
  for (const auto of_list : comm.all_gather(std::span<const std::int64_t>(size)).data) {
    lists.begin.push_back(lists.begin.back() + of_list);
  }
  for (const auto& item : comm.all_gather(std::span<const ScoredItem>(mine)).data) {
    lists.item.push_back(item.item);
    lists.score.push_back(item.score);
  }
  return lists;
}

}  // namespace cohort
