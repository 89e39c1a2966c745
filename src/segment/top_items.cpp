#include "segment/top_items.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "core/parallel.hpp"
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
  std::int64_t first = 0;  // global number of the first
  std::vector<PackedRows> tiles;
  std::int64_t tile_items = 0;
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
    group_ = user_block * std::clamp<std::int64_t>(blocks / (4 * omp_get_max_threads()), 1, most_group_blocks);
  }

  void pass(const Piece& piece) {
    std::vector<std::int64_t> numbers(piece.tiles.size() * static_cast<std::size_t>(piece.tile_items));
    std::iota(numbers.begin(), numbers.end(), piece.first);
    const auto count = std::ssize(users_);
    for_each_in_parallel(ceil_div(count, group_), [&](std::int64_t g) {
      const auto end = std::min(count, (g + 1) * group_);
      Matrix rows(end - g * group_, query_.users.columns);
      for (auto i = g * group_; i < end; ++i) {
        std::memcpy(rows.row(i - g * group_), query_.users.row(users_[static_cast<std::size_t>(i)]),
                    static_cast<std::size_t>(rows.columns()) * sizeof(float));
      }
      Matrix scores(user_block, piece.tile_items);
      for (std::size_t t = 0; t < piece.tiles.size(); ++t) {
        const auto items = std::span<const std::int64_t>(numbers).subspan(
            t * static_cast<std::size_t>(piece.tile_items), static_cast<std::size_t>(piece.tiles[t].rows()));
        for (auto i = g * group_; i < end; i += user_block) {
          const auto here = std::min(user_block, end - i);
          inner_products(rows.view().slice(i - g * group_, here), piece.tiles[t], scores.view());
          for (std::int64_t u = 0; u < here; ++u) {
            best_[static_cast<std::size_t>(i + u)].offer({scores.row(u), items.size()}, items,
                                                         excluded(users_[static_cast<std::size_t>(i + u)]));
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
    const auto u = static_cast<std::size_t>(user);
    const auto begin = query_.excluded->row_begin[u];
    return std::span<const std::int64_t>(query_.excluded->other)
        .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(query_.excluded->row_begin[u + 1] - begin));
  }

  const TopItemsQuery& query_;
  std::vector<std::int64_t> users_;
  std::vector<TopK> best_;
  std::int64_t group_ = user_block;
};

// Rows [begin, end) of rank `root`'s items, on all ranks. Collective.
Piece share_piece(const Communicator& comm, const TopItemsQuery& query, std::int64_t columns, int root,
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
  piece.first = query.blocks->begin(root) + begin;
  piece.tile_items = std::clamp<std::int64_t>(tile_floats / std::max<std::int64_t>(1, padded_stride(columns)) / 16 * 16,
                                              16, most_tile_items);
  comm.attempt([&] {
    piece.tiles.resize(static_cast<std::size_t>(ceil_div(rows.rows(), piece.tile_items)));
    for_each_in_parallel(std::ssize(piece.tiles), [&](std::int64_t t) {
      const auto first = t * piece.tile_items;
      piece.tiles[static_cast<std::size_t>(t)] =
          PackedRows(rows.view().slice(first, std::min(piece.tile_items, rows.rows() - first)));
    });
  });
  return piece;
}

std::vector<std::int64_t> wanted_users(const TopItemsQuery& query, std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> users(static_cast<std::size_t>(count));
  std::iota(users.begin(), users.end(), first);
  if (query.chosen) std::copy_n(query.chosen->begin() + first, count, users.begin());
  return users;
}

}  // namespace

void top_items(const Communicator& comm, const TopItemsQuery& query, const TopItemsSink& sink) {
  COHORT_CHECK(query.blocks && query.blocks->ranks() == comm.size() && query.k >= 0);
  COHORT_CHECK(query.items.rows == query.blocks->count(comm.rank()));
  COHORT_CHECK(!query.excluded || query.excluded->rows() == query.users.rows);
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
  for (std::int64_t b = 0; b < batches; ++b) {
    const auto first = std::min(count, b * batch_users);
    std::unique_ptr<Batch> batch;
    comm.attempt([&] {
      batch = std::make_unique<Batch>(query, wanted_users(query, first, std::min(batch_users, count - first)), k);
    });
    for (int root = 0; root < comm.size(); ++root) {
      for (std::int64_t begin = 0; begin < query.blocks->count(root); begin += piece_items) {
        const auto end = std::min(query.blocks->count(root), begin + piece_items);
        const auto piece = share_piece(comm, query, columns, root, begin, end);
        comm.attempt([&] { batch->pass(piece); });
      }
    }
    comm.attempt([&] { batch->finish(sink); });
  }
}

}  // namespace cohort
