#include "recommend/held_back_ranking.hpp"

#include "items/ranking_measures.hpp"
#include "items/top_items.hpp"

namespace cohort {

namespace {

constexpr std::int64_t cut_off = 20;

}  // namespace

std::vector<double> ndcg_of_users(const Communicator& comm, ConstMatrixView users, ConstMatrixView items,
                                  const Distribution& item_blocks, const HeldBack& held) {
  std::vector<std::int64_t> chosen;
  std::vector<double> gains;
  std::vector<double> ndcg;
  comm.attempt([&] {
    gains = ideal_gains(cut_off);
    ndcg.assign(held.pairs.rows(), 0.0);
    chosen = held.user_rows();
  });
  TopItemsQuery query;
  query.users = users;
  query.items = items;
  query.blocks = &item_blocks;
  query.excluded = &held.left;
  query.chosen = &chosen;
  query.k = cut_off;
  top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> best) {
    ndcg[user] = measure_list(best, held.pairs.row(user), cut_off, gains).ndcg;
  });
  return ndcg;
}

}  // namespace cohort
