// The best items by the graph's filter (model/graph_filter.hpp), alone or beside the embedding: the strategies filter
// and hybrid.
//
//   s_ui = y_i d_i^b / deviation(y d^b) + w <e_u, e_i> / deviation(<e_u, e>)      x_i = r_ui d_i^-b
//
// d_i being the item's weighted degree, r_u what the user interacted with as the graph weighs it, the deviations those
// over all items. w = 0 is the filter alone. Where the filter says nothing (who has no interactions), the embedding
// decides. Exact; the same bits for any number of ranks and threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "kernels/top_k.hpp"
#include "model/graph_filter.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/item_choice.hpp"
#include "recommend/score_scale.hpp"

namespace cohort {

/// Who is to be ranked for: users, or others that have items as users do. This rank's rows. Does not own.
struct FilterSignals {
  const PairTable* items = nullptr;     ///< r: what each has
  bool weighed = false;                 ///< their weights are r; otherwise r is what the graph makes of them
  const PairTable* excluded = nullptr;  ///< items that are passed over, a row for each; nullptr on all ranks: none
  ConstMatrixView rows;                 ///< the embedding of each; of no columns where there is none
  const std::vector<std::int64_t>* chosen = nullptr;  ///< rows to answer for, ascending; nullptr: all
};

/// What the filter and the embedding are put together with.
struct FilterWeights {
  double ridge = 0;                ///< which filter (filter_coefficients)
  double power = 0;                ///< b
  std::span<const double> beside;  ///< w of each list that is made; the same on all ranks
};

/// Takes the best of one of this rank's rows, with the w at this place: best first, ties to the smaller item, fewer
/// where there are no more. Called by several threads at a time; must not communicate.
using FilterSink = std::function<void(std::size_t weight, std::int64_t row, std::span<const ScoredItem> best)>;

/// Takes where in the list of one of this rank's rows, with the w at this place, the items are that were looked for:
/// from 0, ascending. Called by several threads at a time; must not communicate.
using PlaceSink = std::function<void(std::size_t weight, std::int64_t row, std::span<const std::int64_t> places)>;

class FilterRanking {
 public:
  /// items: embeddings of this rank's block, of no columns on all ranks where only the filter matters. `graph` must
  /// outlive this. Collective.
  FilterRanking(const Communicator& comm, const FilterGraph& graph, ConstMatrixView items,
                const Distribution& item_blocks, const ItemChoice& choice);

  /// The k best items for each row that is asked for and each weight. Collective.
  void rank(const FilterSignals& signals, const FilterWeights& weights, std::int64_t k, const FilterSink& sink);

  /// Where in those lists of k the items of `wanted` are, a row for each of signals.items; -1: an item that is not
  /// known. Without making the lists: an item's place is how many are better, counted until there are k. Collective.
  void find(const FilterSignals& signals, const FilterWeights& weights, std::int64_t k, const PairTable& wanted,
            const PlaceSink& sink);

 private:
  struct Factors;
  struct Block;
  struct Scores;
  struct Wanted;
  /// Of one column with one weight; called by several threads at a time.
  using ScoreSink = std::function<void(Scores& scores)>;
  using BlockVisit = std::function<void(const Block& block, ConstMatrixView smoothed)>;

  void place_items(ConstMatrixView items, const Distribution& item_blocks, const ItemChoice& choice);
  void take_power(double power);
  /// `visit` is called by all ranks for every block, one after the other; a std::ref of it, as std::function would
  /// allocate where no failure is agreed on. Collective.
  void for_each_block(const FilterSignals& signals, const FilterWeights& weights, const BlockVisit& visit);
  Block gather(const FilterSignals& signals, std::int64_t before, std::int64_t place) const;
  void fill(const Block& block);
  void measure(ConstMatrixView smoothed, Block& block) const;
  /// Gives the scores of this rank's items, in parts. Local.
  void score(ConstMatrixView smoothed, const Block& block, std::span<const double> beside, const ScoreSink& sink) const;
  /// Of this rank's items: by column of the block and weight, k each, -1 where there are fewer.
  std::vector<ScoredItem> best_here(ConstMatrixView smoothed, const Block& block, std::span<const double> beside,
                                    std::int64_t k) const;
  void hand_out(const Block& block, std::span<const ScoredItem> mine, std::int64_t weights, std::int64_t k,
                const FilterSink& sink) const;
  Wanted look_for(const Block& block, const PairTable& wanted, ConstMatrixView smoothed,
                  std::span<const double> beside) const;
  void count_better(ConstMatrixView smoothed, const Block& block, std::span<const double> beside, std::int64_t k,
                    Wanted& wanted) const;

  const Communicator& comm_;
  const FilterGraph& graph_;
  GraphFilter filter_;
  std::optional<ScoreScale> scale_;        ///< of the embedding, where there is one
  std::int64_t columns_;                   ///< of it
  std::vector<std::int64_t> item_;         ///< numbers of the items among the owned rows, ascending
  std::vector<std::int64_t> row_of_item_;  ///< beside them
  // What may be recommended: a part of the two.
  std::vector<std::int64_t> number_;
  std::vector<std::int64_t> row_;
  Matrix embedding_;
  double power_ = 0;
  std::vector<float> degree_power_;  ///< d^b of every owned row
};

}  // namespace cohort
