// The register tile of all dense products: some rows, one float of each broadcast at a time, times some vectors.
// Included once per target, after foreach_target.h.
#if defined(COHORT_KERNELS_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef COHORT_KERNELS_TILE_INL
#undef COHORT_KERNELS_TILE_INL
#else
#define COHORT_KERNELS_TILE_INL
#endif

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

/// The rows of a tile: element (row, column) is data[row * row_step + column * column_step].
struct TileRows {
  const float* data;
  std::int64_t row_step;
  std::int64_t column_step;
};

/// Its vectors: those of group p and column c start at data[p * group_step + c * column_step].
struct TileVectors {
  const float* data;
  std::int64_t group_step;
  std::int64_t column_step;
};

/// Brings what is multiplied next into the second-level cache while the tiles before it are multiplied: a part at every
/// tile, as so many misses at once would stop the arithmetic.
class Ahead {
 public:
  /// floats: from `begin` on; tiles: calls of next_part() in which all of them come.
  Ahead(const float* begin, std::int64_t floats, std::int64_t tiles)
      : at_(begin), end_(begin + floats), part_((floats / line + tiles) / tiles * line) {}
  HWY_INLINE void next_part() {
    const float* const until = end_ - at_ > part_ ? at_ + part_ : end_;
    for (; at_ < until; at_ += line) __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr std::int64_t line = 16;  // floats
  const float* at_;
  const float* end_;
  std::int64_t part_;
};

template <int count>
using Each = std::make_index_sequence<static_cast<std::size_t>(count)>;

template <std::size_t... v>
HWY_INLINE void add_products(FloatVector left, const FloatVector* right, FloatVector* sum, std::index_sequence<v...>) {
  ((sum[v] = fused(left, right[v], sum[v])), ...);
}

/// sum[r * vectors + v] = the sum over the columns, ascending, of element (r, column) times vector v.
template <std::size_t... r, std::size_t... v, std::size_t... s>
HWY_INLINE void multiply_tile(TileRows left, TileVectors right, std::int64_t columns, FloatVector* sum,
                              std::index_sequence<r...>, std::index_sequence<v...> vectors, std::index_sequence<s...>) {
  constexpr Floats d;
  ((sum[s] = hn::Zero(d)), ...);
  for (std::int64_t column = 0; column < columns; ++column) {
    const FloatVector of_column[] = {
        hn::LoadU(d, right.data + v / group_vectors * right.group_step + v % group_vectors * lanes)...};
    (add_products(hn::Set(d, left.data[r * left.row_step]), of_column, sum + r * sizeof...(v), vectors), ...);
    left.data += left.column_step;
    right.data += right.column_step;
  }
}

template <std::size_t... v>
HWY_INLINE void store_row(const FloatVector* sum, float* out, std::index_sequence<v...>) {
  constexpr Floats d;
  (hn::StoreU(sum[v], d, out + v * lanes), ...);
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#endif
