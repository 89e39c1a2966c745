#include "items/top_items.hpp"

#include <omp.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "core/interruption.hpp"
#include "core/parallel.hpp"
#include "core/work_done.hpp"
#include "items/item_piece.hpp"
#include "items/user_group.hpp"

namespace cohort {

namespace {

// Users go past a tile in groups of several blocks, so that the tile is read from memory once a group.
constexpr std::int64_t most_group_blocks = 8;
// Bounds are worth a group's axes where so many items pass.
constexpr std::int64_t least_bounded_items = 4096;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// One batch of this rank's users on its way past all items.
class Batch {
 public:
  Batch(const TopItemsQuery& query, std::vector<std::int64_t> users, std::int64_t k)
      : query_(query), users_(std::move(users)) {
    best_.reserve(users_.size());
    for (std::size_t i = 0; i < users_.size(); ++i) best_.emplace_back(k);
    const auto blocks = ceil_div(std::ssize(users_), UserGroup::user_block);
    // Some four groups a thread, so that threads end together.
    const auto most =
        UserGroup::user_block *
        std::clamp<std::int64_t>(blocks / (std::int64_t{4} * omp_get_max_threads()), 1, most_group_blocks);
    const auto kind = query_.prior ? query_.prior->group : query_.kind;
    if (!kind.empty()) std::ranges::stable_sort(users_, {}, [&](std::int64_t user) { return kind[user]; });
    for (std::int64_t i = 0; i < std::ssize(users_); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool other_prior = query_.prior && i > 0 && kind[users_[at]] != kind[users_[at - 1]];
      if (cut_.empty() || i - cut_.back() == most || other_prior) cut_.push_back(i);
    }
    cut_.push_back(std::ssize(users_));
  }

  /// bounded: scores may be bounded.
  void pass(const ItemPiece& piece, bool bounded) {
    for_each_in_parallel(std::ssize(cut_) - 1, [&](std::int64_t g) {
      const auto first = cut_[g];
      const auto count = cut_[g + 1] - first;
      UserGroup(query_, std::span(users_).subspan(first, count), std::span(best_).subspan(first, count), piece, bounded)
          .pass();
    });
  }

  void finish(const TopItemsSink& sink) const {
    for_each_in_parallel(ceil_div(std::ssize(users_), UserGroup::user_block), [&](std::int64_t block) {
      const auto end = std::min(std::ssize(users_), (block + 1) * UserGroup::user_block);
      for (auto i = block * UserGroup::user_block; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        sink(users_[at], best_[at].sorted());
      }
    });
  }

 private:
  const TopItemsQuery& query_;
  std::vector<std::int64_t> users_;  // of one kind after the other, where that is known
  std::vector<TopK> best_;
  std::vector<std::int64_t>
      cut_;  // users [cut_[g], cut_[g + 1]) go past a tile together; all of one group of the prior
};

std::vector<std::int64_t> wanted_users(const TopItemsQuery& query, std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> users(count);
  std::iota(users.begin(), users.end(), first);
  if (query.chosen) std::copy_n(query.chosen->begin() + first, count, users.begin());
  return users;
}

}  // namespace

void top_items(const Communicator& comm, const TopItemsQuery& query, const TopItemsSink& sink) {
  COHORT_CHECK(query.blocks && query.blocks->ranks() == comm.size() && query.k >= 0);
  COHORT_CHECK(query.items.rows == query.blocks->count(comm.rank()));
  COHORT_CHECK(!query.excluded || query.excluded->rows() == query.users.rows);
  COHORT_CHECK(query.numbers.empty() || std::ssize(query.numbers) == query.items.rows);
  COHORT_CHECK(!query.prior || (std::ssize(query.prior->group) == query.users.rows &&
                                std::ssize(query.prior->scale) == query.users.rows &&
                                std::ssize(query.prior->base) == query.items.rows && !query.prior->begin.empty()));
  const bool numbered = comm.any(!query.numbers.empty());
  // A rank without rows may have a view without columns.
  const auto columns = comm.max(std::max(query.users.rows > 0 ? query.users.columns : 0,  //
                                         query.items.rows > 0 ? query.items.columns : 0));
  COHORT_CHECK((query.users.rows == 0 || query.users.columns == columns) &&
               (query.items.rows == 0 || query.items.columns == columns));

  const auto k = std::min(query.k, query.blocks->total());
  const auto count = query.chosen ? std::ssize(*query.chosen) : query.users.rows;
  const auto heap = k * static_cast<std::int64_t>(sizeof(ScoredItem)) + static_cast<std::int64_t>(sizeof(TopK)) + 16;
  const auto batch_users = std::max<std::int64_t>(1, query.room.heaps / heap);
  const auto row_bytes = std::max<std::int64_t>(1, padded_stride(columns) * static_cast<std::int64_t>(sizeof(float)));
  const auto piece_items = std::max<std::int64_t>(1, query.room.piece / row_bytes);
  const auto batches = comm.max(ceil_div(count, batch_users));
  std::int64_t pieces = 0;
  for (int root = 0; root < comm.size(); ++root) pieces += ceil_div(query.blocks->count(root), piece_items);
  std::int64_t passed = 0;
  note_work(0, batches * pieces);
  const bool bounded = k > 0 && query.blocks->total() >= least_bounded_items;
  for (std::int64_t b = 0; b < batches; ++b) {
    const auto first = std::min(count, b * batch_users);
    std::unique_ptr<Batch> batch;
    comm.attempt([&] {
      batch = std::make_unique<Batch>(query, wanted_users(query, first, std::min(batch_users, count - first)), k);
    });
    for (int root = 0; root < comm.size(); ++root) {
      for (std::int64_t begin = 0; begin < query.blocks->count(root); begin += piece_items) {
        const auto end = std::min(query.blocks->count(root), begin + piece_items);
        const auto piece = share_piece(comm, query, numbered, columns, root, begin, end);
        comm.attempt([&] {
          end_if_interrupted();
          batch->pass(piece, bounded);
        });
        note_work(++passed, batches * pieces);
      }
    }
    comm.attempt([&] { batch->finish(sink); });
  }
}

}  // namespace cohort
