#include "items/top_items.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

#include "core/interruption.hpp"
#include "core/parallel.hpp"
#include "core/work_done.hpp"
#include "items/score_bounds.hpp"
#include "kernels/scores.hpp"

namespace cohort {

namespace {

// A tile of packed items and the scores of one block of users against it share a core's second-level cache; users go
// past a tile in groups of several blocks, so that the tile is read from memory once a group.
constexpr std::int64_t tile_floats = std::int64_t{1} << 16;
constexpr std::int64_t most_tile_items = 1024;
constexpr std::int64_t user_block = 48;
constexpr std::int64_t most_group_blocks = 8;

// Bounds are worth their axes where so many users for each column pass so many items.
constexpr std::int64_t least_users_a_column = 32;
constexpr std::int64_t least_bounded_items = 4 * most_tile_items;
// A score by itself takes some eight times as long as one of a whole tile.
constexpr std::int64_t most_scattered = 8;
// Below it a bound may be too small (score_bounds.hpp).
constexpr float least_bounded_score = 16 * std::numeric_limits<float>::min();

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// Some consecutive items of one rank, packed, as all ranks see them in turn.
struct Piece {
  Matrix rows;
  std::vector<PackedRows> tiles;   // of `rows`
  std::vector<PackedRows> bounds;  // of the same items, by ScoreBounds; none without
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

  /// bounds: of piece.bounds; nullptr: none.
  void pass(const Piece& piece, const ScoreBounds* bounds) {
    for_each_in_parallel(std::ssize(cut_) - 1, [&](std::int64_t g) {
      Group group(*this, cut_[g], cut_[g + 1], piece, bounds);
      for (std::int64_t t = 0; t < std::ssize(piece.tiles); ++t) group.pass_tile(t);
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
  // Users [begin, end) on their way past a piece.
  class Group {
   public:
    Group(Batch& batch, std::int64_t begin, std::int64_t end, const Piece& piece, const ScoreBounds* bounds)
        : batch_(batch),
          piece_(piece),
          begin_(begin),
          rows_(end - begin, batch.query_.users.columns),
          some_rows_(user_block, rows_.columns()),
          scores_(user_block, piece.tile_items) {
      const auto& query = batch_.query_;
      if (query.prior) {
        scale_.resize(rows_.rows());
        prior_.resize(scores_.stride());
      }
      for (std::int64_t i = 0; i < rows_.rows(); ++i) {
        const auto user = batch_.users_[begin + i];
        std::memcpy(rows_.row(i), query.users.row(user), static_cast<std::size_t>(rows_.columns()) * sizeof(float));
        if (query.prior) scale_[i] = query.prior->scale[user];
      }
      if (!bounds) return;
      bound_rows_ = bounds->of_users(rows_.view());
      at_.resize(scores_.stride());
      some_.resize(scores_.stride());
      some_items_.resize(scores_.stride());
      // There is no bar before the first k items.
      bounded_from_ = std::isinf(batch_.best_[begin].least()) ? 1 : 0;
    }

    void pass_tile(std::int64_t tile) {
      if (batch_.query_.prior) {
        piece_.prior_row(batch_.segment(batch_.users_[begin_]), static_cast<std::size_t>(tile), prior_);
      }
      items_ = std::span(piece_.numbers).subspan(tile * piece_.tile_items, piece_.tiles[tile].rows());
      const bool bounded = bound_rows_.rows() > 0 && tile >= bounded_from_;
      std::int64_t unbounded = 0;
      for (std::int64_t i = 0; i < rows_.rows(); i += user_block) {
        here_.resize(std::min(user_block, rows_.rows() - i));
        std::iota(here_.begin(), here_.end(), i);
        if (bounded) {
          take_by_bounds(tile, i);
          unbounded += std::ssize(here_);
        }
        if (!here_.empty()) take_all(tile);
      }
      if (!bounded) return;
      // Where bounds say little, they are asked ever more seldom.
      constexpr std::int64_t most_tiles_between = 16;
      tiles_between_ = 4 * unbounded <= rows_.rows() ? 1 : std::min(2 * tiles_between_, most_tiles_between);
      bounded_from_ = tile + tiles_between_;
    }

   private:
    // Computes the scores of users [first, first + here_.size()) that may be among their best, and leaves in here_
    // those of whom these are so many that a whole product is faster.
    void take_by_bounds(std::int64_t tile, std::int64_t first) {
      const auto count = std::ssize(here_);
      inner_products(bound_rows_.view().slice(first, count), piece_.bounds[tile], scores_.view());
      if (!prior_.empty()) add_scaled_row(scores_.view(), std::span(scale_).subspan(first, count), prior_);
      here_.clear();
      const auto tile_rows = piece_.rows.view().slice(tile * piece_.tile_items, std::ssize(items_));
      for (std::int64_t u = 0; u < count; ++u) {
        auto& best = batch_.best_[begin_ + first + u];
        const auto found = not_below({scores_.row(u), items_.size()}, best.least() - least_bounded_score, at_);
        if (found * most_scattered > std::ssize(items_)) {
          here_.push_back(first + u);
          continue;
        }
        inner_products_at(rows_.row(first + u), tile_rows, std::span(at_).first(found), some_);
        for (std::int64_t j = 0; j < found; ++j) {
          if (!prior_.empty()) some_[j] = std::fma(scale_[first + u], prior_[at_[j]], some_[j]);
          some_items_[j] = items_[at_[j]];
        }
        best.offer(std::span(some_).first(found), std::span(some_items_).first(found),
                   batch_.excluded(batch_.users_[begin_ + first + u]));
      }
    }

    // All scores of the users of here_, which are at most a block.
    void take_all(std::int64_t tile) {
      const auto count = std::ssize(here_);
      std::array<float, user_block> scale{};
      for (std::int64_t u = 0; u < count; ++u) {
        std::memcpy(some_rows_.row(u), rows_.row(here_[u]), static_cast<std::size_t>(rows_.columns()) * sizeof(float));
        if (!scale_.empty()) scale[u] = scale_[here_[u]];
      }
      inner_products(some_rows_.view().slice(0, count), piece_.tiles[tile], scores_.view());
      if (!prior_.empty()) add_scaled_row(scores_.view(), std::span(scale).first(count), prior_);
      for (std::int64_t u = 0; u < count; ++u) {
        batch_.best_[begin_ + here_[u]].offer({scores_.row(u), items_.size()}, items_,
                                              batch_.excluded(batch_.users_[begin_ + here_[u]]));
      }
    }

    Batch& batch_;
    const Piece& piece_;
    std::int64_t begin_;
    Matrix rows_;        // of the users
    Matrix some_rows_;   // those of here_
    Matrix bound_rows_;  // of ScoreBounds; no rows without
    Matrix scores_;      // a block of users x the items of a tile
    std::vector<float> scale_;
    std::vector<float> prior_;
    std::span<const std::int64_t> items_;  // of the tile
    std::vector<std::int64_t> here_;       // users of the block, from 0 in the group
    std::vector<std::int32_t> at_;         // items of the tile that bounds leave, and their scores and numbers
    std::vector<float> some_;
    std::vector<std::int64_t> some_items_;
    std::int64_t bounded_from_ = 0;  // the next tile at which bounds are asked
    std::int64_t tiles_between_ = 1;
  };

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

// Rows [begin, end) of what rank `root` has, on all ranks. Collective.
Matrix share_rows(const Communicator& comm, ConstMatrixView own, std::int64_t columns, int root, std::int64_t begin,
                  std::int64_t end) {
  Matrix rows;
  comm.attempt([&] {
    rows = Matrix(end - begin, columns);
    if (comm.rank() != root) return;
    for (auto i = begin; i < end; ++i) {
      std::memcpy(rows.row(i - begin), own.row(i), static_cast<std::size_t>(columns) * sizeof(float));
    }
  });
  comm.broadcast(std::span<float>(rows.row(0), static_cast<std::size_t>(rows.bytes()) / sizeof(float)), root);
  return rows;
}

std::vector<PackedRows> packed_tiles(ConstMatrixView rows, std::int64_t tile_items) {
  std::vector<PackedRows> tiles(ceil_div(rows.rows, tile_items));
  for_each_in_parallel(std::ssize(tiles), [&](std::int64_t t) {
    const auto first = t * tile_items;
    tiles[t] = PackedRows(rows.slice(first, std::min(tile_items, rows.rows - first)));
  });
  return tiles;
}

// Items [begin, end) of rank `root`, on all ranks. bound_rows: of this rank's items by `bounds`; nullptr: none.
// Collective.
Piece share_piece(const Communicator& comm, const TopItemsQuery& query, bool numbered, std::int64_t columns,
                  const ScoreBounds* bounds, ConstMatrixView bound_rows, int root, std::int64_t begin,
                  std::int64_t end) {
  Piece piece;
  piece.rows = share_rows(comm, query.items, columns, root, begin, end);
  const auto shared_bounds = bounds ? share_rows(comm, bound_rows, bounds->columns(), root, begin, end) : Matrix();
  share_numbers(comm, query, numbered, root, begin, end, piece);
  if (query.prior) share_prior(comm, *query.prior, root, begin, end, piece);
  piece.tile_items = std::clamp<std::int64_t>(tile_floats / std::max<std::int64_t>(1, padded_stride(columns)) / 16 * 16,
                                              16, most_tile_items);
  comm.attempt([&] {
    piece.tiles = packed_tiles(piece.rows.view(), piece.tile_items);
    if (bounds) piece.bounds = packed_tiles(shared_bounds.view(), piece.tile_items);
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
  std::optional<ScoreBounds> bounds;
  Matrix bound_rows;
  if (query.blocks->total() >= least_bounded_items && comm.sum(count) >= least_users_a_column * columns) {
    bounds.emplace(comm, query.items, columns);
    if (!bounds->worthwhile()) bounds.reset();
  }
  if (bounds) comm.attempt([&] { bound_rows = bounds->of_items(query.items); });
  const auto* const bounded_by = bounds ? &*bounds : nullptr;
  for (std::int64_t b = 0; b < batches; ++b) {
    const auto first = std::min(count, b * batch_users);
    std::unique_ptr<Batch> batch;
    comm.attempt([&] {
      batch = std::make_unique<Batch>(query, wanted_users(query, first, std::min(batch_users, count - first)), k);
    });
    for (int root = 0; root < comm.size(); ++root) {
      for (std::int64_t begin = 0; begin < query.blocks->count(root); begin += piece_items) {
        const auto end = std::min(query.blocks->count(root), begin + piece_items);
        const auto piece = share_piece(comm, query, numbered, columns, bounded_by, bound_rows.view(), root, begin, end);
        comm.attempt([&] {
          end_if_interrupted();
          batch->pass(piece, bounded_by);
        });
        note_work(++passed, batches * pieces);
      }
    }
    comm.attempt([&] { batch->finish(sink); });
  }
}

}  // namespace cohort
