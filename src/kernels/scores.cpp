#include "kernels/scores.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/scores.cpp"
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

using Indices = hn::RebindToSigned<Floats>;
using IndexVector = hn::Vec<Indices>;

// A tile is some rows, one float of each broadcast at a time, times some vectors of packed rows. Its inner products
// stay in registers from the first column to the last: 24 of 32 where there are 32 registers, 12 of 16 with AVX2.
#if HWY_TARGET == HWY_AVX3
constexpr int product_rows = 8;
constexpr int product_panels = 3;
constexpr int wide_rows = 6;  // where panels are left over, four at a time instead of one
constexpr int wide_panels = 4;
constexpr int centre_rows = 8;  // a power of two: rows of one packed panel
constexpr int point_vectors = 3;
#elif HWY_TARGET == HWY_AVX2
constexpr int product_rows = 6;
constexpr int product_panels = 1;
constexpr int centre_rows = 4;
constexpr int point_vectors = 3;
#elif HWY_TARGET == HWY_SCALAR
constexpr int product_rows = 1;
constexpr int product_panels = 1;
constexpr int centre_rows = 4;
constexpr int point_vectors = 2;
#else
constexpr int product_rows = 6;
constexpr int product_panels = 1;
constexpr int centre_rows = 4;
constexpr int point_vectors = 6;
#endif

/// Most points that nearest_rows packs at a time, on any target.
constexpr std::int64_t point_block = 48;
/// Rows that inner_products holds in the first-level cache while it passes over the panels.
constexpr std::int64_t product_block = 48;

/// Packs `count` rows from `rows` on into panels of 16; panels lie `panel_step` floats apart.
void pack_rows(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t columns, float* panels,
               std::int64_t panel_step) {
  for (std::int64_t first = 0; first < count; first += 4) {
    float* const out = panels + first / group * panel_step + first % group;
    const float* const in = rows + first * stride;
#if HWY_TARGET != HWY_SCALAR
    if (first + 4 <=
        count) {  // 4 x 4 transposed at a time; the padding of rows and panels takes the last columns' rest
      constexpr hn::FixedTag<float, 4> d;
      constexpr hn::Repartition<double, decltype(d)> pairs;
      for (std::int64_t column = 0; column < columns; column += 4) {
        const auto row0 = hn::LoadU(d, in + column);
        const auto row1 = hn::LoadU(d, in + stride + column);
        const auto row2 = hn::LoadU(d, in + 2 * stride + column);
        const auto row3 = hn::LoadU(d, in + 3 * stride + column);
        const auto lower01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
        const auto upper01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
        const auto lower23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
        const auto upper23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
        float* const target = out + column * group;
        hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, lower01, lower23)), d, target);
        hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, lower01, lower23)), d, target + group);
        hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, upper01, upper23)), d, target + 2 * group);
        hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, upper01, upper23)), d, target + 3 * group);
      }
      continue;
    }
#endif
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t row = 0; row < std::min<std::int64_t>(4, count - first); ++row) {
        out[column * group + row] = in[row * stride + column];
      }
    }
  }
}

template <int panels, std::size_t... r>
HWY_INLINE void product_tile(const float* a, std::int64_t a_stride, const float* panel, std::int64_t panel_step,
                             std::int64_t columns, float* out, std::int64_t out_stride,
                             std::index_sequence<r...> each_row) {
  constexpr int vectors = panels * group_vectors;
  FloatVector sum[sizeof...(r) * vectors];
  multiply_tile({a, a_stride, 1}, {panel, panel_step, group}, columns, sum, each_row, Each<vectors>(),
                Each<static_cast<int>(sizeof...(r)) * vectors>());
  (store_row(sum + r * vectors, out + r * out_stride, Each<vectors>()), ...);
}

/// `count` rows of a against `panels` panels, in tiles of `rows` rows and then of half as many.
template <int rows, int panels>
HWY_NOINLINE void product_rows_by_panels(const float* a, std::int64_t a_stride, std::int64_t count, const float* panel,
                                         std::int64_t panel_step, std::int64_t columns, float* out,
                                         std::int64_t out_stride, Ahead& ahead) {
  std::int64_t row = 0;
  for (; row + rows <= count; row += rows) {
    ahead.next_part();
    product_tile<panels>(a + row * a_stride, a_stride, panel, panel_step, columns, out + row * out_stride, out_stride,
                         Each<rows>());
  }
  if constexpr (rows > 1) {
    if (row < count) {
      product_rows_by_panels<rows / 2, panels>(a + row * a_stride, a_stride, count - row, panel, panel_step, columns,
                                               out + row * out_stride, out_stride, ahead);
    }
  }
}

void inner_products_vectors(ConstMatrixView a, const float* panels, std::int64_t panel_step, std::int64_t panel_count,
                            float* out, std::int64_t out_stride) {
  for (std::int64_t first = 0; first < a.rows; first += product_block) {
    const std::int64_t count = std::min(product_block, a.rows - first);
    const std::int64_t next = first + count;
    const std::int64_t tiles = product_block / product_rows * ((panel_count + product_panels - 1) / product_panels);
    Ahead ahead(a.row(next), std::min(product_block, a.rows - next) * a.stride, tiles);
    for (std::int64_t panel = 0; panel < panel_count;) {
      const auto multiply = [&](auto product, std::int64_t together) {
        product(a.row(first), a.stride, count, panels + panel * panel_step, panel_step, a.columns,
                out + first * out_stride + panel * group, out_stride, ahead);
        panel += together;
      };
      const std::int64_t left = panel_count - panel;
#if HWY_TARGET == HWY_AVX3
      if (left % product_panels != 0 && left >= wide_panels) {
        multiply(product_rows_by_panels<wide_rows, wide_panels>, wide_panels);
        continue;
      }
#endif
      if (left >= product_panels) {
        multiply(product_rows_by_panels<product_rows, product_panels>, product_panels);
      } else {
        multiply(product_rows_by_panels<product_rows, 1>, 1);
      }
    }
  }
}

void add_scaled_row_vectors(MatrixView out, const float* scale, const float* row, std::int64_t width) {
  constexpr Floats d;
  for (std::int64_t i = 0; i < out.rows; ++i) {
    const FloatVector factor = hn::Set(d, scale[i]);
    float* const target = out.row(i);
    for (std::int64_t j = 0; j < width; j += lanes) {
      hn::StoreU(fused(factor, hn::LoadU(d, row + j), hn::LoadU(d, target + j)), d, target + j);
    }
  }
}

using OneFloat = hn::CappedTag<float, 1>;

HWY_INLINE hn::Vec<OneFloat> fused_one(hn::Vec<OneFloat> a, hn::Vec<OneFloat> b, hn::Vec<OneFloat> c) {
#if HWY_TARGET == HWY_SCALAR
  return fused(a, b, c);
#else
  return hn::MulAdd(a, b, c);
#endif
}

/// One column of `chains` rows at a time: so many chains hide how long a fused multiply-add takes.
template <std::size_t... r>
HWY_INLINE void products_of_rows(const float* a, const float* const* row, std::int64_t columns, float* out,
                                 std::index_sequence<r...>) {
  constexpr OneFloat one;
  hn::Vec<OneFloat> sum[] = {(static_cast<void>(r), hn::Zero(one))...};
  for (std::int64_t column = 0; column < columns; ++column) {
    const auto left = hn::LoadU(one, a + column);
    ((sum[r] = fused_one(left, hn::LoadU(one, row[r] + column), sum[r])), ...);
  }
  (hn::StoreU(sum[r], one, out + r), ...);
}

void inner_products_at_vectors(const float* a, ConstMatrixView rows, const std::int32_t* at, std::int64_t count,
                               float* out) {
  constexpr std::int64_t chains = 8;
  const float* row[chains];
  float product[chains];
  for (std::int64_t j = 0; j < count; j += chains) {
    const auto here = std::min(chains, count - j);
    for (std::int64_t r = 0; r < chains; ++r) row[r] = rows.row(at[j + std::min(r, here - 1)]);
    products_of_rows(a, row, rows.columns, product, Each<static_cast<int>(chains)>());
    std::copy_n(product, here, out + j);
  }
}

/// The least value so far of each of a tile's points, and whose it is.
template <int vectors>
struct Nearest {
  FloatVector value[vectors];
  IndexVector index[vectors];
};

template <std::size_t... v>
HWY_INLINE void take_nearer(const FloatVector* product, float offset, std::int32_t centre, FloatVector* value,
                            IndexVector* index, std::index_sequence<v...>) {
  constexpr Floats d;
  constexpr Indices di;
  const FloatVector candidate[] = {fused(hn::Set(d, -2.0F), product[v], hn::Set(d, offset))...};
  const hn::Mask<Floats> less[] = {hn::Lt(candidate[v], value[v])...};
  ((value[v] = hn::IfThenElse(less[v], candidate[v], value[v])), ...);
  ((index[v] = hn::IfThenElse(hn::RebindMask(di, less[v]), hn::Set(di, centre), index[v])), ...);
}

template <int vectors, std::size_t... r>
HWY_INLINE void nearest_tile(const float* centres, const float* offset, std::int32_t first, const float* points,
                             std::int64_t panel_step, std::int64_t columns, Nearest<vectors>& nearest,
                             std::index_sequence<r...> each_row) {
  FloatVector sum[sizeof...(r) * vectors];
  multiply_tile({centres, 1, group}, {points, panel_step, group}, columns, sum, each_row, Each<vectors>(),
                Each<static_cast<int>(sizeof...(r)) * vectors>());
  (take_nearer(sum + r * vectors, offset[r], first + static_cast<std::int32_t>(r), nearest.value, nearest.index,
               Each<vectors>()),
   ...);
}

/// Centres [first, count), in tiles of `rows` and then of half as many.
template <int rows, int vectors>
HWY_INLINE void nearest_of(const float* centres, std::int64_t centre_step, const float* offset, std::int32_t first,
                           std::int32_t count, const float* points, std::int64_t panel_step, std::int64_t columns,
                           Nearest<vectors>& nearest) {
  for (; first + rows <= count; first += rows) {
    nearest_tile<vectors>(centres + first / group * centre_step + first % group, offset + first, first, points,
                          panel_step, columns, nearest, Each<rows>());
  }
  if constexpr (rows > 1) {
    if (first < count) {
      nearest_of<rows / 2, vectors>(centres, centre_step, offset, first, count, points, panel_step, columns, nearest);
    }
  }
}

template <int vectors>
HWY_NOINLINE void nearest_block(const float* centres, std::int64_t centre_step, const float* offset, std::int32_t count,
                                const float* points, std::int64_t panel_step, std::int64_t columns,
                                std::int32_t* index) {
  constexpr Floats d;
  constexpr Indices di;
  Nearest<vectors> nearest;
  for (int v = 0; v < vectors; ++v) {
    nearest.value[v] = hn::Set(d, std::numeric_limits<float>::infinity());
    nearest.index[v] = hn::Zero(di);
  }
  nearest_of<centre_rows, vectors>(centres, centre_step, offset, 0, count, points, panel_step, columns, nearest);
  for (int v = 0; v < vectors; ++v) hn::StoreU(nearest.index[v], di, index + v * lanes);
}

/// `packed`: room for point_block points in panels that lie panel_step floats apart; zeroed.
void nearest_rows_vectors(ConstMatrixView points, const float* centres, std::int64_t panel_step, std::int32_t count,
                          const float* offset, float* packed, std::int32_t* nearest) {
  constexpr std::int64_t block = point_vectors * lanes;
  static_assert(block <= point_block);
  std::int32_t index[block];
  for (std::int64_t first = 0; first < points.rows; first += block) {
    const std::int64_t here = std::min(block, points.rows - first);
    pack_rows(points.row(first), points.stride, here, points.columns, packed, panel_step);
    const auto nearest_of_block = here > lanes ? nearest_block<point_vectors> : nearest_block<1>;
    nearest_of_block(centres, panel_step, offset, count, packed, panel_step, points.columns, index);
    std::copy_n(index, here, nearest + first);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(pack_rows);
HWY_EXPORT(inner_products_vectors);
HWY_EXPORT(add_scaled_row_vectors);
HWY_EXPORT(inner_products_at_vectors);
HWY_EXPORT(nearest_rows_vectors);

namespace {
constexpr std::int64_t panel_rows = 16;

/// Floats of a panel: columns in fours, as they are transposed.
std::int64_t panel_floats(std::int64_t columns) {
  return (columns + 3) / 4 * 4 * panel_rows;
}
}  // namespace

PackedRows::PackedRows(ConstMatrixView rows)
    : rows_(rows.rows),
      columns_(rows.columns),
      storage_((rows.rows + panel_rows - 1) / panel_rows, panel_floats(rows.columns)) {
  COHORT_CHECK(rows.stride % 16 == 0);
  HWY_DYNAMIC_DISPATCH(pack_rows)(rows.data, rows.stride, rows_, columns_, storage_.row(0), storage_.stride());
}

PackedRows PackedRows::of_columns(ConstMatrixView columns, std::int64_t rows) {
  PackedRows result;
  result.rows_ = rows;
  result.columns_ = columns.rows;
  result.storage_ = Matrix((rows + panel_rows - 1) / panel_rows, panel_floats(columns.rows));
  COHORT_CHECK(columns.stride >= result.panels() * panel_rows);
  for (std::int64_t panel = 0; panel < result.panels(); ++panel) {
    for (std::int64_t c = 0; c < columns.rows; ++c) {
      std::memcpy(result.storage_.row(panel) + c * panel_rows, columns.row(c) + panel * panel_rows,
                  panel_rows * sizeof(float));
    }
  }
  return result;
}

void inner_products(ConstMatrixView a, const PackedRows& b, MatrixView out) {
  const std::int64_t width = b.panels() * panel_rows;
  COHORT_CHECK(a.columns == b.columns() && out.rows >= a.rows && out.stride >= width);
  if (a.rows == 0 || b.rows() == 0) return;
  HWY_DYNAMIC_DISPATCH(inner_products_vectors)
  (a, b.panel(0), panel_floats(b.columns()), b.panels(), out.data, out.stride);
  if (b.rows() == width) return;
  for (std::int64_t row = 0; row < a.rows; ++row) std::fill(out.row(row) + b.rows(), out.row(row) + width, 0.0F);
}

void add_scaled_row(MatrixView out, std::span<const float> scale, std::span<const float> row) {
  const auto width = static_cast<std::int64_t>(row.size());
  COHORT_CHECK(width % panel_rows == 0 && width <= out.stride && std::ssize(scale) <= out.rows);
  HWY_DYNAMIC_DISPATCH(add_scaled_row_vectors)(out.slice(0, std::ssize(scale)), scale.data(), row.data(), width);
}

void inner_products_at(const float* a, ConstMatrixView rows, std::span<const std::int32_t> at, std::span<float> out) {
  COHORT_CHECK(out.size() >= at.size());
  HWY_DYNAMIC_DISPATCH(inner_products_at_vectors)(a, rows, at.data(), std::ssize(at), out.data());
}

void nearest_rows(ConstMatrixView points, const PackedRows& centres, std::span<const float> offset,
                  std::span<std::int32_t> nearest) {
  COHORT_CHECK(points.columns == centres.columns() && points.stride % 16 == 0);
  COHORT_CHECK(centres.rows() >= 1 && centres.rows() < std::numeric_limits<std::int32_t>::max());
  COHORT_CHECK(static_cast<std::int64_t>(offset.size()) == centres.rows());
  COHORT_CHECK(static_cast<std::int64_t>(nearest.size()) == points.rows);
  if (points.rows == 0) return;
  const std::int64_t panel_step = panel_floats(points.columns);
  Matrix packed(HWY_NAMESPACE::point_block / panel_rows, panel_step);
  HWY_DYNAMIC_DISPATCH(nearest_rows_vectors)
  (points, centres.panel(0), panel_step, static_cast<std::int32_t>(centres.rows()), offset.data(), packed.row(0),
   nearest.data());
}

}  // namespace cohort
#endif
