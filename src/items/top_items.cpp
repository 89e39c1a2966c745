#include "items/top_items.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "core/interruption.hpp"
#include "core/parallel.hpp"
#include "core/work_done.hpp"
#include "kernels/scores.hpp"

namespace cohort {

namespace {

// A tile of packed items and the scores of one block of users against it share a core's second-level cache; users go
// past a tile in groups of several blocks, so that the tile is read from memory once a group.
constexpr std::int64_t tile_floats = std::int64_t{1} << 16;
constexpr std::int64_t most_tile_items = 1024;
constexpr std::int64_t user_block = 48;
constexpr std::int64_t most_group_blocks = 8;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// Some consecutive items of one rank, packed, as all ranks see them in turn.
struct Piece {
  std::vector<PackedRows> tiles;
  std::int64_t tile_items = 0;
  std::vector<std::int64_t> numbers;      // of the items
  std::vector<float> base;                // of the items, and the entries of each group by place in the piece
  std::vector<std::int64_t> prior_begin;  // groups + 1
  std::vector<std::int32_t> prior_place;
  std::vector<float> prior_value;

  // The prior of a group for a tile; row: zero beyond the tile's items.
  void prior_row(std::int32_t group, std::size_t tile, std::span<float> row) const {
    const auto first = static_cast<std::int64_t>(tile) * tile_items;
    const auto count = tiles[tile].rows();
    std::copy_n(base.begin() + first, count, row.begin());
    std::fill(row.begin() + count, row.end(), 0.0F);
    const auto g = static_cast<std::size_t>(group);
    const auto end = prior_place.begin() + prior_begin[g + 1];
    for (auto at = std::lower_bound(prior_place.begin() + prior_begin[g], end, first); at != end && *at < first + count;
         ++at) {
      row[(*at - first)] = prior_value[at - prior_place.begin()];
    }
  }
};

// One batch of this rank's users on its way past all items.
class Batch {
 public:
  Batch(const TopItemsQuery& query, std::vector<std::int64_t> users, std::int64_t k)
      : query_(query), users_(std::move(users)) {
    best_.reserve(users_.size());
    for (std::size_t i = 0; i < users_.size(); ++i) best_.emplace_back(k);
    const auto blocks = ceil_div(std::ssize(users_), user_block);
    // Some four groups a thread, so that threads end together.
    const auto most =
        user_block * std::clamp<std::int64_t>(blocks / (std::int64_t{4} * omp_get_max_threads()), 1, most_group_blocks);
    if (query_.prior) std::ranges::stable_sort(users_, {}, [&](std::int64_t user) { return segment(user); });
    for (std::int64_t i = 0; i < std::ssize(users_); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool other_segment = query_.prior && i > 0 && segment(users_[at]) != segment(users_[at - 1]);
      if (cut_.empty() || i - cut_.back() == most || other_segment) cut_.push_back(i);
    }
    cut_.push_back(std::ssize(users_));
  }

  void pass(const Piece& piece) {
    for_each_in_parallel(std::ssize(cut_) - 1, [&](std::int64_t g) {
      const auto begin = cut_[g];
      const auto end = cut_[g + 1];
      Matrix rows(end - begin, query_.users.columns);
      std::vector<float> scale(query_.prior ? static_cast<std::size_t>(rows.rows()) : 0);
      for (auto i = begin; i < end; ++i) {
        const auto user = users_[i];
        std::memcpy(rows.row(i - begin), query_.users.row(user),
                    static_cast<std::size_t>(rows.columns()) * sizeof(float));
        if (!query_.prior) continue;
        scale[i - begin] = query_.prior->scale[user];
      }
      Matrix scores(user_block, piece.tile_items);
      std::vector<float> prior(query_.prior ? static_cast<std::size_t>(scores.stride()) : 0);
      for (std::size_t t = 0; t < piece.tiles.size(); ++t) {
        const auto items =
            std::span(piece.numbers).subspan(t * static_cast<std::size_t>(piece.tile_items), piece.tiles[t].rows());
        if (query_.prior) piece.prior_row(segment(users_[begin]), t, prior);
        for (auto i = begin; i < end; i += user_block) {
          const auto here = std::min(user_block, end - i);
          inner_products(rows.view().slice(i - begin, here), piece.tiles[t], scores.view());
          if (query_.prior) {
            add_scaled_row(scores.view(), std::span(scale).subspan(i - begin, here), prior);
          }
          for (std::int64_t u = 0; u < here; ++u) {
            best_[i + u].offer({scores.row(u), items.size()}, items, excluded(users_[i + u]));
          }
        }
      }
    });
  }

  void finish(const TopItemsSink& sink) const {
    for_each_in_parallel(ceil_div(std::ssize(users_), user_block), [&](std::int64_t block) {
      const auto end = std::min(std::ssize(users_), (block + 1) * user_block);
      for (auto i = block * user_block; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        sink(users_[at], best_[at].sorted());
      }
    });
  }

 private:
  std::span<const std::int64_t> excluded(std::int64_t user) const {
    if (!query_.excluded) return {};
    return query_.excluded->row(user);
  }

  std::int32_t segment(std::int64_t user) const { return query_.prior->group[user]; }

  const TopItemsQuery& query_;
  std::vector<std::int64_t> users_;  // of one group after the other, where there is a prior
  std::vector<TopK> best_;
  std::vector<std::int64_t> cut_;  // users [cut_[g], cut_[g + 1]) go past a tile together; all of one group
};

// What `root` says of its items [begin, end) beside their embeddings, on all ranks. Collective.
void share_numbers(const Communicator& comm, const TopItemsQuery& query, bool numbered, int root, std::int64_t begin,
                   std::int64_t end, Piece& piece) {
  comm.attempt([&] {
    piece.numbers.resize(end - begin);
    std::iota(piece.numbers.begin(), piece.numbers.end(), query.blocks->begin(root) + begin);
    if (numbered && comm.rank() == root) std::copy_n(query.numbers.begin() + begin, end - begin, piece.numbers.begin());
  });
  if (numbered) comm.broadcast(std::span<std::int64_t>(piece.numbers), root);
}

void share_prior(const Communicator& comm, const ItemPrior& prior, int root, std::int64_t begin, std::int64_t end,
                 Piece& piece) {
  comm.attempt([&] {
    if (comm.rank() != root) return;
    piece.base.assign(prior.base.begin() + begin, prior.base.begin() + end);
    piece.prior_begin.assign(1, 0);
    for (std::size_t g = 0; g + 1 < prior.begin.size(); ++g) {
      const auto first = prior.row.begin() + prior.begin[g];
      const auto last = prior.row.begin() + prior.begin[g + 1];
      for (auto at = std::lower_bound(first, last, begin); at != last && *at < end; ++at) {
        piece.prior_place.push_back(static_cast<std::int32_t>(*at - begin));
        piece.prior_value.push_back(prior.value[at - prior.row.begin()]);
      }
      piece.prior_begin.push_back(std::ssize(piece.prior_place));
    }
  });
  comm.broadcast(piece.base, root);
  comm.broadcast(piece.prior_begin, root);
  comm.broadcast(piece.prior_place, root);
  comm.broadcast(piece.prior_value, root);
}

// Rows [begin, end) of rank `root`'s items, on all ranks. Collective.
Piece share_piece(const Communicator& comm, const TopItemsQuery& query, bool numbered, std::int64_t columns, int root,
                  std::int64_t begin, std::int64_t end) {
  Matrix rows;
  comm.attempt([&] {
    rows = Matrix(end - begin, columns);
    if (comm.rank() != root) return;
    for (auto i = begin; i < end; ++i) {
      std::memcpy(rows.row(i - begin), query.items.row(i), static_cast<std::size_t>(columns) * sizeof(float));
    }
  });
  comm.broadcast(std::span<float>(rows.row(0), static_cast<std::size_t>(rows.bytes()) / sizeof(float)), root);
  Piece piece;
  share_numbers(comm, query, numbered, root, begin, end, piece);
  if (query.prior) share_prior(comm, *query.prior, root, begin, end, piece);
  piece.tile_items = std::clamp<std::int64_t>(tile_floats / std::max<std::int64_t>(1, padded_stride(columns)) / 16 * 16,
                                              16, most_tile_items);
  comm.attempt([&] {
    piece.tiles.resize(ceil_div(rows.rows(), piece.tile_items));
    for_each_in_parallel(std::ssize(piece.tiles), [&](std::int64_t t) {
      const auto first = t * piece.tile_items;
      piece.tiles[t] = PackedRows(rows.view().slice(first, std::min(piece.tile_items, rows.rows() - first)));
    });
  });
  return piece;
}

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
          batch->pass(piece);
        });
        note_work(++passed, batches * pieces);
      }
    }
    comm.attempt([&] { batch->finish(sink); });
  }
}

}  // namespace cohort
