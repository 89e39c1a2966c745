#include "ingest/rules/k_core.hpp"

#include <utility>

#include "comm/index_plan.hpp"
#include "data/distinct.hpp"

namespace cohort {

namespace {

class Peeling {
 public:
  Peeling(const Communicator& comm, const PairTable& table, const Distribution& items)
      : comm_(comm), table_(table), distinct_(distinct_of(table.other)), plan_(comm, items, distinct_.values) {
    item_alive_.assign(distinct_.values.size(), 1);
    owned_alive_.assign(items.count(comm.rank()), 1);
    result_.keep.assign(table.other.size(), 1);
    result_.dropped_user.assign(table.rows(), 0);
    result_.item_left.assign(owned_alive_.size(), 0);
    std::vector<std::int64_t> counts(distinct_.values.size(), 0);
    for (const auto item : distinct_.place) ++counts[item];
    plan_.add<std::int64_t>(counts, result_.item_left);
  }

  KCoreResult run(std::int64_t min_user, std::int64_t min_item) {
    while (min_user > 1 || min_item > 1) {
      const auto before = result_.users + result_.items;
      drop_users(min_user);
      drop_items(min_item);
      if (!comm_.any(result_.users + result_.items > before)) break;
      ++result_.rounds;
    }
    result_.users = comm_.sum(result_.users);
    result_.items = comm_.sum(result_.items);
    result_.interactions = comm_.sum(result_.interactions);
    return std::move(result_);
  }

 private:
  void drop_users(std::int64_t min_user) {
    std::vector<std::int64_t> less(distinct_.values.size(), 0);
    for (std::size_t r = 0; r + 1 < table_.row_begin.size(); ++r) {
      const auto begin = static_cast<std::size_t>(table_.row_begin[r]);
      const auto end = static_cast<std::size_t>(table_.row_begin[r + 1]);
      std::int64_t left = 0;
      for (auto i = begin; i < end; ++i) left += result_.keep[i];
      if (left == 0 || left >= min_user) continue;
      result_.dropped_user[r] = 1;
      ++result_.users;
      for (auto i = begin; i < end; ++i) {
        if (!result_.keep[i]) continue;
        result_.keep[i] = 0;
        ++result_.interactions;
        --less[distinct_.place[i]];
      }
    }
    plan_.add<std::int64_t>(less, result_.item_left);
  }

  void drop_items(std::int64_t min_item) {
    for (std::size_t i = 0; i < owned_alive_.size(); ++i) {
      auto& left = result_.item_left[i];
      if (left == 0 || left >= min_item) continue;
      owned_alive_[i] = 0;
      left = 0;
      ++result_.items;
    }
    item_alive_ = plan_.fetch<char>(owned_alive_);
    for (std::size_t i = 0; i < result_.keep.size(); ++i) {
      if (result_.keep[i] && !item_alive_[distinct_.place[i]]) {
        result_.keep[i] = 0;
        ++result_.interactions;
      }
    }
  }

  const Communicator& comm_;
  const PairTable& table_;
  Distinct distinct_;  // items that this rank's users have
  IndexPlan plan_;
  std::vector<char> item_alive_;   // of distinct_.values
  std::vector<char> owned_alive_;  // of this rank's items
  KCoreResult result_;
};

}  // namespace

KCoreResult k_core(const Communicator& comm, const PairTable& table, const Distribution& items,
                   std::int64_t min_user_interactions, std::int64_t min_item_interactions) {
  return Peeling(comm, table, items).run(min_user_interactions, min_item_interactions);
}

}  // namespace cohort
