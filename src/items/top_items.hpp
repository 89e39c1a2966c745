// The best items of every user by inner product, exact, over all items: what ranking measures are computed from and
// what `recommend` writes. Blocked products and a bounded heap a user, never a users x items matrix; where a bound of a
// score (items/score_bounds.hpp) cannot reach the heap, the score is not computed.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "kernels/top_k.hpp"

namespace cohort {

/// Room that a rank gives to what goes round, in bytes.
struct TopItemsRoom {
  std::int64_t heaps = std::int64_t{256} << 20;  ///< the best so far of a batch of users
  std::int64_t piece = std::int64_t{16} << 20;   ///< embeddings of a piece of the items
};

/// A number for every pair of a group of users and an item, which counts beside the inner product: the score is
/// <user, item> + scale[user] * prior[group[user]][item], as with the popularity inside a segment. Sparse: `base`
/// wherever the group has no entry.
struct ItemPrior {
  std::span<const std::int32_t> group;  ///< of each row of TopItemsQuery::users
  std::span<const float> scale;         ///< of each row of TopItemsQuery::users
  std::span<const float> base;          ///< of each of this rank's rows of items
  std::span<const std::int64_t> begin;  ///< groups + 1, as many on all ranks: offsets into the two below
  std::span<const std::int32_t> row;    ///< this rank's rows of items, ascending within a group
  std::span<const float> value;
};

struct TopItemsQuery {
  ConstMatrixView users;                              ///< this rank's block of users x d
  ConstMatrixView items;                              ///< this rank's block of items x d
  const Distribution* blocks = nullptr;               ///< of the items, by rank
  const PairTable* excluded = nullptr;                ///< a row for each of this rank's users: items that are passed
                                                      ///< over; nullptr: none
  std::span<const std::int64_t> numbers = {};         ///< of this rank's rows of items where `items` are some of more:
                                                      ///< ascending, also over ranks; `excluded` and results go by
                                                      ///< them; empty on all ranks: consecutive from 0
  std::span<const std::int32_t> kind = {};            ///< of each row of `users`, or empty: users of one kind lie near
                                                      ///< each other, as those of a segment; changes the time alone
  const ItemPrior* prior = nullptr;                   ///< nullptr on all ranks: none
  const std::vector<std::int64_t>* chosen = nullptr;  ///< rows of `users` to answer for, ascending; nullptr: all
  std::int64_t k = 20;                                ///< the same on all ranks
  TopItemsRoom room = {};                             ///< the same on all ranks
};

/// Takes the best of one of this rank's users (a row of query.users): best first, ties to the smaller item, fewer than
/// k where there are no more. Called by several threads at a time, once for each user in all; must not communicate.
using TopItemsSink = std::function<void(std::int64_t user, std::span<const ScoredItem> best)>;

/// Items go round all ranks in pieces, once for each batch of users whose heaps fit their room, so a rank needs memory
/// for its own rows, one piece and one batch. A score is kernels/scores.hpp's float32 product and one fused
/// multiply-add of the prior, so the result does not depend on the number of ranks or threads; a score that is not a
/// number is passed over. What `sink` throws on one rank is thrown on all. Collective.
void top_items(const Communicator& comm, const TopItemsQuery& query, const TopItemsSink& sink);

}  // namespace cohort
