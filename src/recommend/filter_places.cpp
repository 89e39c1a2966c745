// Where the items of one table are in the lists of FilterRanking, without these lists: an item's score comes from the
// rank that has the item, every rank counts the better ones among its own, and the counts are added up.
#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "kernels/scores.hpp"
#include "kernels/top_k.hpp"
#include "recommend/filter_block.hpp"
#include "recommend/filter_ranking.hpp"

namespace cohort {

namespace {

// Better than the one of this score: larger, or equal with a smaller number.
std::int64_t better_than(const ScoredItem& one, std::span<const float> scores, std::span<const std::int64_t> items) {
  const auto before = static_cast<std::size_t>(std::ranges::lower_bound(items, one.item) - items.begin());
  const auto itself = static_cast<std::size_t>(before < items.size() && items[before] == one.item);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (one.score == infinity) return count_at_least(scores.first(before), infinity);
  const auto larger = std::nextafter(one.score, infinity);
  return count_at_least(scores.first(before), one.score) + count_at_least(scores.subspan(before + itself), larger);
}

// So that they are better than nothing.
void pass_over(std::span<const std::int64_t> excluded, std::span<const std::int64_t> items, std::span<float> scores) {
  auto from = items.begin();
  for (auto at = std::ranges::lower_bound(excluded, items.front()); at != excluded.end() && *at <= items.back(); ++at) {
    from = std::lower_bound(from, items.end(), *at);
    if (*from == *at) scores[static_cast<std::size_t>(from - items.begin())] = std::numeric_limits<float>::quiet_NaN();
  }
}

}  // namespace

/// What is looked for in a block's columns. The same on all ranks but for the counts before they are added up.
struct FilterRanking::Wanted {
  struct Entry {
    std::int64_t item;
    std::int64_t column;
  };

  std::vector<Entry> entries;        ///< by column
  std::vector<std::size_t> begin;    ///< of each column's
  std::vector<float> scores;         ///< by entry and weight; not a number where the item is in no list
  std::vector<std::int64_t> better;  ///< beside them: how many come before
};

void FilterRanking::find(const FilterSignals& signals, const FilterWeights& weights, std::int64_t k,
                         const PairTable& wanted, const PlaceSink& sink) {
  COHORT_CHECK(k >= 0 && wanted.rows() == signals.items->rows());
  const auto visit = [&](const Block& block, ConstMatrixView smoothed) {
    auto found = look_for(block, wanted, smoothed, weights.beside);
    count_better(smoothed, block, weights.beside, k, found);
    comm_.attempt([&] {
      const auto first = static_cast<std::size_t>(block.column_begin[comm_.rank()]);
      const auto count = weights.beside.size();
      for_each_in_parallel(std::ssize(block.row), [&](std::int64_t i) {
        std::vector<std::int64_t> places;
        for (std::size_t w = 0; w < count; ++w) {
          places.clear();
          for (auto e = found.begin[first + i]; e < found.begin[first + i + 1]; ++e) {
            const auto at = e * count + w;
            if (!std::isnan(found.scores[at]) && found.better[at] < k) places.push_back(found.better[at]);
          }
          std::ranges::sort(places);
          sink(w, block.row[i], places);
        }
      });
    });
  };
  for_each_block(signals, weights, std::ref(visit));
}

FilterRanking::Wanted FilterRanking::look_for(const Block& block, const PairTable& wanted, ConstMatrixView smoothed,
                                              std::span<const double> beside) const {
  Wanted result;
  std::vector<Wanted::Entry> mine;
  comm_.attempt([&] {
    for (std::size_t i = 0; i < block.row.size(); ++i) {
      const auto column = block.column_begin[comm_.rank()] + static_cast<std::int64_t>(i);
      for (const auto item : wanted.row(block.row[i])) mine.push_back({item, column});
    }
  });
  result.entries = comm_.all_gather(std::span<const Wanted::Entry>(mine)).data;
  // The bits of a score and one more, which only the rank that has the item adds.
  std::vector<std::uint64_t> known;
  comm_.attempt([&] {
    result.begin.assign(block.columns() + 1, 0);
    for (const auto& entry : result.entries) ++result.begin[entry.column + 1];
    for (std::int64_t j = 0; j < block.columns(); ++j) result.begin[j + 1] += result.begin[j];
    known.assign(result.entries.size() * beside.size(), 0);
    for (std::size_t e = 0; e < result.entries.size(); ++e) {
      const auto [item, column] = result.entries[e];
      const auto at = std::ranges::lower_bound(number_, item);
      if (at == number_.end() || *at != item) continue;
      if (std::ranges::binary_search(block.excluded[column], item)) continue;
      const auto place = static_cast<std::int32_t>(at - number_.begin());
      const auto row = row_[place];
      const float filtered = smoothed.row(row)[column] * degree_power_[row];
      float embedded = 0;
      if (columns_ > 0) {
        inner_products_at(block.embedding.row(column), embedding_.view(), std::span(&place, 1),
                          std::span(&embedded, 1));
      }
      for (std::size_t w = 0; w < beside.size(); ++w) {
        const auto score = block.factors(column, beside[w]).of(filtered, embedded);
        known[e * beside.size() + w] = std::uint64_t{1} + std::bit_cast<std::uint32_t>(score);
      }
    }
  });
  comm_.sum_in_place(std::span<std::uint64_t>(known));
  comm_.attempt([&] {
    result.scores.reserve(known.size());
    for (const auto bits : known) {
      result.scores.push_back(bits == 0 ? std::numeric_limits<float>::quiet_NaN()
                                        : std::bit_cast<float>(static_cast<std::uint32_t>(bits - 1)));
    }
  });
  return result;
}

void FilterRanking::count_better(ConstMatrixView smoothed, const Block& block, std::span<const double> beside,
                                 std::int64_t k, Wanted& wanted) const {
  comm_.attempt([&] {
    std::vector<std::vector<std::int64_t>> counted(omp_get_max_threads());
    for (auto& counts : counted) counts.assign(wanted.scores.size(), 0);
    score(smoothed, block, beside, [&](Scores& scores) {
      auto& counts = counted[omp_get_thread_num()];
      std::span<float> made;
      for (auto e = wanted.begin[scores.column]; e < wanted.begin[scores.column + 1]; ++e) {
        const auto at = e * beside.size() + static_cast<std::size_t>(scores.weight);
        // Where this thread has found k better ones, the item is in no list, however many others find.
        if (std::isnan(wanted.scores[at]) || counts[at] >= k) continue;
        if (made.empty()) {
          made = scores.make();
          pass_over(block.excluded[scores.column], scores.items, made);
        }
        counts[at] += better_than({wanted.scores[at], wanted.entries[e].item}, made, scores.items);
      }
    });
    wanted.better.assign(wanted.scores.size(), 0);
    for (const auto& counts : counted) {
      for (std::size_t at = 0; at < counts.size(); ++at) wanted.better[at] += counts[at];
    }
  });
  comm_.sum_in_place(std::span<std::int64_t>(wanted.better));
}

}  // namespace cohort
