#include "items/item_piece.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/parallel.hpp"
#include "items/score_bounds.hpp"

namespace cohort {

namespace {

// A tile of packed items and the scores of one block of users against it share a core's second-level cache.
constexpr std::int64_t tile_floats = std::int64_t{1} << 16;
constexpr std::int64_t most_tile_items = 1024;

// What `root` says of its items [begin, end) beside their embeddings, on all ranks. Collective.
void share_numbers(const Communicator& comm, const TopItemsQuery& query, bool numbered, int root, std::int64_t begin,
                   std::int64_t end, ItemPiece& piece) {
  comm.attempt([&] {
    piece.numbers.resize(end - begin);
    std::iota(piece.numbers.begin(), piece.numbers.end(), query.blocks->begin(root) + begin);
    if (numbered && comm.rank() == root) std::copy_n(query.numbers.begin() + begin, end - begin, piece.numbers.begin());
  });
  if (numbered) comm.broadcast(std::span<std::int64_t>(piece.numbers), root);
}

void share_prior(const Communicator& comm, const ItemPrior& prior, int root, std::int64_t begin, std::int64_t end,
                 ItemPiece& piece) {
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

}  // namespace

void ItemPiece::prior_row(std::int32_t group, std::int64_t first, std::span<float> row) const {
  const auto count = std::min(std::ssize(row), rows.rows() - first);
  std::copy_n(base.begin() + first, count, row.begin());
  std::fill(row.begin() + count, row.end(), 0.0F);
  const auto g = static_cast<std::size_t>(group);
  const auto end = prior_place.begin() + prior_begin[g + 1];
  for (auto at = std::lower_bound(prior_place.begin() + prior_begin[g], end, first); at != end && *at < first + count;
       ++at) {
    row[*at - first] = prior_value[at - prior_place.begin()];
  }
}

ItemPiece share_piece(const Communicator& comm, const TopItemsQuery& query, bool numbered, std::int64_t columns,
                      int root, std::int64_t begin, std::int64_t end) {
  ItemPiece piece;
  comm.attempt([&] {
    piece.rows = Matrix(end - begin, columns);
    if (comm.rank() != root) return;
    for (auto i = begin; i < end; ++i) {
      std::memcpy(piece.rows.row(i - begin), query.items.row(i), static_cast<std::size_t>(columns) * sizeof(float));
    }
  });
  comm.broadcast(std::span<float>(piece.rows.row(0), static_cast<std::size_t>(piece.rows.bytes()) / sizeof(float)),
                 root);
  share_numbers(comm, query, numbered, root, begin, end, piece);
  if (query.prior) share_prior(comm, *query.prior, root, begin, end, piece);
  const auto floats = std::max<std::int64_t>(1, padded_stride(columns));
  piece.tile_items = std::clamp<std::int64_t>(tile_floats / floats / 16 * 16, 16, most_tile_items);
  comm.attempt([&] {
    piece.tiles.resize((piece.rows.rows() + piece.tile_items - 1) / piece.tile_items);
    piece.square.resize(piece.rows.rows());
    for_each_in_parallel(std::ssize(piece.tiles), [&](std::int64_t t) {
      const auto first = t * piece.tile_items;
      const auto count = std::min(piece.tile_items, piece.rows.rows() - first);
      piece.tiles[t] = PackedRows(piece.rows.view().slice(first, count));
      for (auto i = first; i < first + count; ++i) {
        piece.square[i] = ScoreBounds::squared_length(piece.rows.view().at(i));
      }
    });
  });
  return piece;
}

}  // namespace cohort
