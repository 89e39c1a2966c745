#include "kernels/outer.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/outer.cpp"
#include <algorithm>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

// Rows whose products are added in float32 before they go into the float64 sums.
constexpr std::int64_t block_rows = 64;

// Columns of the left and groups of 16 of the right whose sums stay in registers: 24 of 32, or 12 of 16 with AVX2.
#if HWY_TARGET == HWY_AVX3
constexpr int tile_rows = 6;
constexpr int tile_groups = 4;
#elif HWY_TARGET == HWY_SCALAR
constexpr int tile_rows = 1;
constexpr int tile_groups = 1;
#else
constexpr int tile_rows = 6;
constexpr int tile_groups = 1;
#endif

/// to[i] += what is in the vectors, in float64.
template <std::size_t... v>
HWY_INLINE void add_vectors(const FloatVector* sum, double* to, std::index_sequence<v...>) {
#if HWY_TARGET == HWY_SCALAR
  ((to[v] += static_cast<double>(hn::GetLane(sum[v]))), ...);
#else
  constexpr hn::Half<Floats> half;
  constexpr hn::Rebind<double, decltype(half)> d;
  const auto add = [&](auto addend, double* at) {
    hn::StoreU(hn::Add(hn::LoadU(d, at), hn::PromoteTo(d, addend)), d, at);
  };
  ((add(hn::LowerHalf(half, sum[v]), to + v * lanes), add(hn::UpperHalf(half, sum[v]), to + v * lanes + lanes / 2)),
   ...);
#endif
}

/// Of `rows` columns of left and `groups` groups of right, of which `width` columns are meant.
template <int groups, std::size_t... r>
HWY_INLINE void outer_tile(TileRows left, TileVectors right, std::int64_t count, double* sums, std::int64_t stride,
                           std::int64_t width, std::index_sequence<r...> each_row) {
  constexpr int vectors = groups * static_cast<int>(group_vectors);
  constexpr int rows = static_cast<int>(sizeof...(r));
  FloatVector sum[rows * vectors];
  multiply_tile(left, right, count, sum, each_row, Each<vectors>(), Each<rows * vectors>());
  if (width == groups * group) {
    (add_vectors(sum + r * vectors, sums + static_cast<std::int64_t>(r) * stride, Each<vectors>()), ...);
    return;
  }
  constexpr std::int64_t columns = groups * group;
  HWY_ALIGN float product[rows * columns];
  (store_row(sum + r * vectors, product + r * columns, Each<vectors>()), ...);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* const from = product + row * columns;
    double* const to = sums + row * stride;
    for (std::int64_t c = 0; c < width; ++c) to[c] += static_cast<double>(from[c]);
  }
}

/// All columns of left, in tiles of `rows` and then of half as many.
template <int rows, int groups>
HWY_NOINLINE void outer_columns(TileRows left, std::int64_t columns, TileVectors right, std::int64_t count,
                                double* sums, std::int64_t stride, std::int64_t width, Ahead& left_ahead,
                                Ahead& right_ahead) {
  std::int64_t column = 0;
  for (; column + rows <= columns; column += rows) {
    left_ahead.next_part();
    right_ahead.next_part();
    outer_tile<groups>({left.data + column, left.row_step, left.column_step}, right, count, sums + column * stride,
                       stride, width, Each<rows>());
  }
  if constexpr (rows > 1) {
    if (column < columns) {
      outer_columns<rows / 2, groups>({left.data + column, left.row_step, left.column_step}, columns - column, right,
                                      count, sums + column * stride, stride, width, left_ahead, right_ahead);
    }
  }
}

void add_outer_products_vectors(ConstMatrixView left, ConstMatrixView right, double* sums) {
  for (std::int64_t first = 0; first < left.rows; first += block_rows) {
    const std::int64_t count = std::min(block_rows, left.rows - first);
    const TileRows rows{left.row(first), 1, left.stride};
    const std::int64_t next = std::min(first + count, left.rows);
    const std::int64_t next_count = std::min(block_rows, left.rows - next);
    const std::int64_t tiles =
        std::max<std::int64_t>(left.columns / tile_rows, 1) *
        std::max<std::int64_t>((right.columns + tile_groups * group - 1) / (tile_groups * group), 1);
    Ahead left_ahead(left.row(next), next_count * left.stride, tiles);
    Ahead right_ahead(right.row(next), next_count * right.stride, tiles);
    for (std::int64_t column = 0; column < right.columns;) {
      const std::int64_t left_over = right.columns - column;
      const bool whole = left_over > (tile_groups - 1) * group;
      const std::int64_t width = std::min(left_over, whole ? tile_groups * group : group);
      const auto outer = whole ? outer_columns<tile_rows, tile_groups> : outer_columns<tile_rows, 1>;
      outer(rows, left.columns, {right.row(first) + column, group, right.stride}, count, sums + column, right.columns,
            width, left_ahead, right_ahead);
      column += width;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(add_outer_products_vectors);

void add_outer_products(ConstMatrixView left, ConstMatrixView right, std::span<double> sums) {
  COHORT_CHECK(left.rows == right.rows && right.stride % 16 == 0);
  COHORT_CHECK(static_cast<std::int64_t>(sums.size()) == left.columns * right.columns);
  HWY_DYNAMIC_DISPATCH(add_outer_products_vectors)(left, right, sums.data());
}

}  // namespace cohort
#endif
