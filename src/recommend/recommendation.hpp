// What to recommend: the best items that a user has not had yet, by one of six strategies.
//
//   global    n_i, the training users of the item
//   segment   p(i|s), the popularity inside the user's segment (recommend/segment_prior.hpp)
//   personal  <e_u, e_i>
//   blend     z_ui + w log p(i|s): the personal score on a scale that is the same for all users, z_ui = (<e_u, e_i> -
//             mean) / deviation over all items (recommend/score_scale.hpp), and the segment's prior with a weight w >=
//             0 that is learnt on interactions held out of an embedding of its own (recommend/blend.hpp)
//   filter    what the user had, smoothed over the graph of the interactions: nothing is learnt but how much an item's
//             degree counts (recommend/filter_ranking.hpp)
//   hybrid    the filter's score and the personal one, each over its deviation, the latter with a weight
//
// For a segment as a whole: its own list of p(i|s), or the scores of its centroid in place of a user's embedding and of
// what its users had in place of what a user had.
// Exact; all results are the same for any number of ranks and threads.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "items/item_counts.hpp"
#include "items/top_items.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/item_choice.hpp"
#include "recommend/segment_prior.hpp"

namespace cohort {

constexpr std::array<Strategy, 6> all_strategies{Strategy::global, Strategy::segment, Strategy::personal,
                                                 Strategy::blend,  Strategy::filter,  Strategy::hybrid};

/// Whether it needs Population::filter.
constexpr bool is_filtered(Strategy strategy) {
  return strategy == Strategy::filter || strategy == Strategy::hybrid;
}

const char* name_of(Strategy strategy);

/// Users with segments and what they had. Does not own; in blocks of users and of items.
struct Population {
  const PairTable* interactions = nullptr;  ///< for training: a row for each of this rank's users
  std::span<const std::int32_t> segment;    ///< of this rank's users
  ConstMatrixView users;                    ///< embeddings of this rank's users
  ConstMatrixView items;                    ///< of this rank's items
  ConstMatrixView centroid;                 ///< segments x d, the same on all ranks
  const Distribution* user_blocks = nullptr;
  const Distribution* item_blocks = nullptr;
  bool spherical = false;               ///< a user's segment is that of the largest cosine, not of the least distance
  const FilterGraph* filter = nullptr;  ///< of the interactions; nullptr on all ranks: no filter and no hybrid

  std::int32_t segments() const { return static_cast<std::int32_t>(centroid.rows); }
};

/// Training interactions that are held back to choose by, and the others; a row for each of this rank's users.
struct HeldBack {
  PairTable left;   ///< at least one of every user that has any
  PairTable pairs;  ///< of the validation users; the others' rows are empty

  /// This rank's validation users: how many, and their rows.
  std::int64_t users() const;
  std::vector<std::int64_t> user_rows() const;
};

/// What is learnt from `held.left` alone, as the population's embeddings and segments are from all. In the population's
/// blocks; where nothing is held back, only `held` is looked at.
struct Validation {
  HeldBack held;
  Matrix users;
  Matrix items;
  std::vector<std::int32_t> segment;
  std::int32_t segments = 0;
  std::vector<std::vector<std::int32_t>> above;  ///< of nested levels, the coarsest first, without that of `segment`:
                                                 ///< of each of these segments the one that it lies in
};

/// What the strategies know beside the embeddings.
struct RecommendModel {
  ItemCounts counts;
  ItemChoice choice;
  double smoothing = no_segments;     ///< m
  double blend_weight = 0;            ///< w
  std::int64_t validation_users = 0;  ///< that m and w were chosen on
  std::int64_t validation_pairs = 0;
  double validation_ndcg = 0;  ///< NDCG@20 of the blend on them, at w; NaN where there are none
  double best_weight = 0;      ///< of the largest NDCG@20 there; w unless its gain is within two standard errors
  double best_gain = 0;        ///< over weight 0
  double gain_error = 0;       ///< standard error of it
  double filter_ridge =
      std::numeric_limits<double>::quiet_NaN();  ///< which filter; NaN: not chosen, as b and the weight
  double filter_power = std::numeric_limits<double>::quiet_NaN();   ///< b
  double filter_weight = std::numeric_limits<double>::quiet_NaN();  ///< w of the embedding in hybrid
  std::int64_t filter_users = 0;       ///< that they were chosen on, some of the validation users
  double filter_ndcg = 0;              ///< NDCG@20 of the better of filter and hybrid on them; NaN where there are none
  double filter_gain = 0;              ///< over the better of personal and blend
  double filter_error = 0;             ///< standard error of it
  Strategy best = Strategy::personal;  ///< of those that were looked at; filter and hybrid unless the gain is below
                                       ///< minus its standard error, else blend where its weight is above 0
};

/// Whether filter and hybrid have what they need. Local.
bool can_make(const Population& population, const RecommendModel& model, Strategy strategy);

struct RecommendOptions {
  std::int64_t min_support = 0;
  std::span<const char> allowed = {};      ///< of this rank's items; empty on all ranks: every item
  bool smoothing = true;                   ///< m is needed: for segment and blend
  const Validation* validation = nullptr;  ///< what is chosen is chosen with it; nullptr on all ranks: only m, by
                                           ///< stand-ins
  std::uint64_t seed = 0;
  const FilterGraph* filter = nullptr;  ///< without what the validation holds back: b and w are chosen; nullptr on all
                                        ///< ranks: they are not
  bool filter_alone = true;             ///< the strategies that they are chosen for
  bool hybrid = true;                   ///< needs a validation with embeddings
};

/// Counts, chooses the items, learns m and the weights where they are needed. Throws InputError where no item is left.
/// Collective.
RecommendModel fit_recommendations(const Communicator& comm, const Population& population,
                                   const RecommendOptions& options);

/// m alone, for other segments of the same users: as fit_recommendations learns it. validation: with segments that go
/// with those of the population; nullptr on all ranks: by stand-ins. Collective.
double fit_smoothing(const Communicator& comm, const Population& population, const Validation* validation,
                     std::uint64_t seed);

/// Gives `sink` the `count` best items of every user, or of the `chosen` ones (rows of this rank's users, ascending),
/// without those of its interactions, best first, ties to the smaller item. Never users x items: lists of segments are
/// as long as count and the most items that a user of theirs has had. Collective.
void recommend_to_users(const Communicator& comm, const Population& population, const RecommendModel& model,
                        Strategy strategy, std::int64_t count, const std::vector<std::int64_t>* chosen,
                        const TopItemsSink& sink);

/// The items that more than half of a segment's users have: a row for each segment, the same on all ranks. Collective.
PairTable widely_held(const Communicator& comm, const ItemCounts& counts, const Population& population);

/// The `count` best items of every segment. left_out: what is passed over, a row for each segment, the same on all
/// ranks; nullptr: nothing but what may not be recommended. Collective.
RankedLists recommend_to_segments(const Communicator& comm, const Population& population, const RecommendModel& model,
                                  Strategy strategy, std::int64_t count, const PairTable* left_out = nullptr);

}  // namespace cohort
