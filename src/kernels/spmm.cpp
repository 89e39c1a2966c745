#include "kernels/spmm.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/spmm.cpp"
#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

/// Without a branch in the loop over rows: row r has value[r * step].
struct RowFactors {
  const float* value;
  std::int64_t step;

  explicit RowFactors(const RowScale& scale)
      : value(scale.by_row.empty() ? &scale.all : scale.by_row.data()), step(scale.by_row.empty() ? 0 : 1) {}
  float of(std::int64_t row) const { return value[row * step]; }
};

/// Walks the neighbours of `rows` in the order of the computation, some way ahead of it. Consecutive rows are one
/// stretch of the column array, so the walk looks at the rows only where that breaks off.
class Lookahead {
 public:
  Lookahead(const SparseRows& matrix, std::span<const LocalRow> rows) : matrix_(matrix), rows_(rows) { next_stretch(); }

  std::int64_t position() const { return position_; }
  std::int64_t left() const { return end_ - position_; }

  HWY_INLINE void advance(std::int64_t count) {
    position_ += count;
    if (position_ == end_) next_stretch();
  }

 private:
  void next_stretch() {
    do {
      if (row_ == rows_.size()) {
        // Past the last row: on to what follows it in memory, which a next call is likely to want.
        end_ = static_cast<std::int64_t>(matrix_.column.size());
        if (position_ == end_) position_ = 0;
        return;
      }
      std::size_t last = row_;
      while (last + 1 < rows_.size() && rows_[last + 1].value == rows_[last].value + 1) ++last;
      position_ = matrix_.row_begin[rows_[row_].value];
      end_ = matrix_.row_begin[rows_[last].value + 1];
      row_ = last + 1;
    } while (position_ == end_);
  }

  const SparseRows& matrix_;
  std::span<const LocalRow> rows_;
  std::size_t row_ = 0;  ///< first index of `rows` after the stretch
  std::int64_t position_ = 0;
  std::int64_t end_ = 0;
};

HWY_INLINE void prefetch_first_level(const float* address) {
  __builtin_prefetch(address, 0, 3);
}

HWY_INLINE void prefetch_second_level(const float* address) {
  __builtin_prefetch(address, 0, 2);
}

HWY_INLINE void prefetch_to_write(const float* address) {
  __builtin_prefetch(address, 1, 3);
}

/// Columns [first, first + 16 * groups) of each row: a row's sums stay in registers from its first neighbour to the
/// last.
template <std::size_t... g, std::size_t... v>
HWY_INLINE void spmm_columns(const SparseRows& matrix, std::span<const LocalRow> rows, bool out_by_position,
                             const float* in, const float* addend, std::int64_t stride, RowFactors scale, float* out,
                             std::index_sequence<g...>, std::index_sequence<v...>) {
  constexpr Floats d;
  // Measured on Zen 4: rows 64 neighbours ahead into the second-level cache, whose misses overlap more deeply than the
  // first level's (a factor of 1.5 where rows come from memory), and 8 ahead from there into the first.
  constexpr std::int64_t far = 64;
  constexpr std::int64_t near = 8;
  constexpr std::size_t rows_ahead = 4;  // of what a row adds to and where it goes
  const LocalRow* const column = matrix.column.data();
  const float* const value = matrix.value.data();
  const auto entries = static_cast<std::int64_t>(matrix.column.size());
  Lookahead ahead(matrix, rows);
  for (std::int64_t warm = 0; warm < far && ahead.left() > 0;) {
    const std::int64_t count = std::min(far - warm, ahead.left());
    for (std::int64_t i = 0; i < count; ++i) {
      const float* const later = in + column[ahead.position() + i].value * stride;
      (prefetch_second_level(later + g * group), ...);
    }
    ahead.advance(count);
    warm += count;
  }
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const std::int64_t row = rows[index].value;
    std::int64_t at = matrix.row_begin[row];
    const std::int64_t end = matrix.row_begin[row + 1];
    if (index + rows_ahead < rows.size()) {
      const std::int64_t later = rows[index + rows_ahead].value;
      if (addend != nullptr) (prefetch_first_level(addend + later * stride + g * group), ...);
      float* const later_target =
          out + (out_by_position ? static_cast<std::int64_t>(index + rows_ahead) : later) * stride;
      (prefetch_to_write(later_target + g * group), ...);
    }
    FloatVector sum[] = {(addend != nullptr ? hn::LoadU(d, addend + row * stride + v * lanes) : hn::Zero(d))...};
    while (at < end) {
      const std::int64_t count = std::min(end - at, ahead.left());
      const LocalRow* const here = column + at;
      const LocalRow* const soon = column + std::min(at + near, entries - count);
      const LocalRow* const later = column + ahead.position();
      for (std::int64_t i = 0; i < count; ++i) {
        const float* const later_row = in + later[i].value * stride;
        (prefetch_second_level(later_row + g * group), ...);
        const float* const soon_row = in + soon[i].value * stride;
        (prefetch_first_level(soon_row + g * group), ...);
        const float* const neighbour = in + here[i].value * stride;
        const FloatVector weight = hn::Set(d, value[at + i]);
        ((sum[v] = fused(weight, hn::LoadU(d, neighbour + v * lanes), sum[v])), ...);
      }
      at += count;
      ahead.advance(count);
    }
    const FloatVector factor = hn::Set(d, scale.of(row));
    float* const target = out + (out_by_position ? static_cast<std::int64_t>(index) : row) * stride;
    (hn::StoreU(hn::Mul(factor, sum[v]), d, target + v * lanes), ...);
  }
}

template <int groups>
HWY_NOINLINE void spmm_groups(const SparseRows& matrix, std::span<const LocalRow> rows, bool out_by_position,
                              const float* in, const float* addend, std::int64_t stride, RowFactors scale, float* out) {
  constexpr std::make_index_sequence<groups> each_group;
  constexpr std::make_index_sequence<groups * group_vectors> each_vector;
  if (stride == groups * group) {  // the usual widths: addresses by shifts
    spmm_columns(matrix, rows, out_by_position, in, addend, groups * group, scale, out, each_group, each_vector);
  } else {
    spmm_columns(matrix, rows, out_by_position, in, addend, stride, scale, out, each_group, each_vector);
  }
}

/// Groups of 16 columns whose sums the registers hold beside the operands.
#if HWY_TARGET == HWY_SCALAR
constexpr int most_groups = 1;
#elif HWY_TARGET == HWY_AVX3
constexpr int most_groups = 8;
#else
constexpr int most_groups = 4;
#endif

void spmm_rows(const SparseRows& matrix, std::span<const LocalRow> rows, bool out_by_position, const float* in,
               const float* addend, std::int64_t stride, const RowScale& scale, float* out) {
  const RowFactors factors(scale);
  for (std::int64_t first = 0; first < stride;) {
    const std::int64_t left = (stride - first) / group;
    const auto run = [&]<int groups>(std::integral_constant<int, groups>) {
      spmm_groups<groups>(matrix, rows, out_by_position, in + first, addend != nullptr ? addend + first : nullptr,
                          stride, factors, out + first);
      first += groups * group;
    };
    if (most_groups >= 8 && left >= 8) {
      run(std::integral_constant<int, std::min(8, most_groups)>());
    } else if (most_groups >= 4 && left >= 4) {
      run(std::integral_constant<int, std::min(4, most_groups)>());
    } else if (most_groups >= 2 && left >= 2) {
      run(std::integral_constant<int, std::min(2, most_groups)>());
    } else {
      run(std::integral_constant<int, 1>());
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(spmm_rows);

namespace {
void check_shapes(const SparseRows& matrix, ConstMatrixView in, ConstMatrixView addend, MatrixView out) {
  COHORT_CHECK(in.stride % 16 == 0 && out.stride == in.stride && out.columns == in.columns);
  COHORT_CHECK(addend.data == nullptr || (addend.stride == in.stride && addend.columns == in.columns));
  COHORT_CHECK(matrix.column.size() == matrix.value.size());
}
}  // namespace

void spmm(const SparseRows& matrix, std::span<const LocalRow> rows, ConstMatrixView in, ConstMatrixView addend,
          const RowScale& scale, MatrixView out) {
  check_shapes(matrix, in, addend, out);
  HWY_DYNAMIC_DISPATCH(spmm_rows)(matrix, rows, false, in.data, addend.data, in.stride, scale, out.data);
}

void spmm_block(const SparseRows& matrix, std::span<const LocalRow> rows, ConstMatrixView in, ConstMatrixView addend,
                const RowScale& scale, MatrixView out) {
  check_shapes(matrix, in, addend, out);
  COHORT_CHECK(out.rows >= static_cast<std::int64_t>(rows.size()));
  HWY_DYNAMIC_DISPATCH(spmm_rows)(matrix, rows, true, in.data, addend.data, in.stride, scale, out.data);
}

}  // namespace cohort
#endif
