#include "items/score_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/eigen.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"

namespace cohort {

namespace {

constexpr std::int64_t sampled_items = 4096;
// Below it a product costs hardly more than its bound.
constexpr std::int64_t least_width = 32;
constexpr std::int64_t block_rows = 256;  // that a thread turns at a time

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Next above x as float32, and above what another rounding or two would make of it.
float rounded_up(double x) {
  return static_cast<float>(x * (1 + 4 * static_cast<double>(std::numeric_limits<float>::epsilon())));
}

RowMajor as_doubles(ConstMatrixView rows, std::int64_t first, std::int64_t count) {
  RowMajor result(count, rows.columns);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0; j < rows.columns; ++j) result(i, j) = rows.row(first + i)[j];
  }
  return result;
}

// The axes in which the rows differ most from zero, one after the other; not numbers where the rows are none.
std::vector<double> principal_axes(std::span<const float> rows, std::int64_t width) {
  std::vector<double> axes(width * width, std::numeric_limits<double>::quiet_NaN());
  RowMajor scatter = RowMajor::Zero(width, width);
  const auto count = std::ssize(rows) / width;
  RowMajor block;
  for (std::int64_t first = 0; first < count; first += block_rows) {
    const auto here = std::min(block_rows, count - first);
    block = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                rows.data() + first * width, here, width)
                .cast<double>();
    scatter.noalias() += block.transpose() * block;
  }
  if (!scatter.allFinite()) return axes;
  const Eigen::SelfAdjointEigenSolver<RowMajor> solver(scatter);
  if (solver.info() != Eigen::Success) return axes;
  for (std::int64_t axis = 0; axis < width; ++axis) {  // the solver's values ascend
    for (std::int64_t j = 0; j < width; ++j) axes[axis * width + j] = solver.eigenvectors()(j, width - 1 - axis);
  }
  return axes;
}

}  // namespace

ScoreBounds::ScoreBounds(const Communicator& comm, ConstMatrixView items, std::int64_t columns) : width_(columns) {
  if (columns < least_width) return;
  const auto total = comm.sum(items.rows);
  const auto step = std::max<std::int64_t>(1, total / sampled_items);
  std::vector<float> sample;
  comm.attempt([&] {
    for (std::int64_t i = 0; i < items.rows; i += step) {
      sample.insert(sample.end(), items.row(i), items.row(i) + columns);
    }
  });
  const auto gathered = comm.gather(std::span<const float>(sample));
  comm.attempt([&] {
    axis_.resize(columns * columns);
    if (comm.is_root()) axis_ = principal_axes(gathered.data, columns);
  });
  comm.broadcast(std::span<double>(axis_));
  if (std::isfinite(axis_.front())) kept_ = columns / 4 / 4 * 4 + (columns >= 64 ? -2 : 2);
}

Matrix ScoreBounds::of_items(ConstMatrixView rows) const {
  // What float32 can lose of a product of two rows of length 1: half an ulp for each of its columns, twice over, and
  // for the columns of the bound itself.
  const double lost = static_cast<double>(width_ + 32) * static_cast<double>(std::numeric_limits<float>::epsilon());
  return turned(rows, lost);
}

// Leading coordinates; the length of the others; the length of all, times `slack`.
Matrix ScoreBounds::turned(ConstMatrixView rows, double slack) const {
  COHORT_CHECK(worthwhile() && (rows.rows == 0 || rows.columns == width_));
  Matrix result(rows.rows, columns());
  const Eigen::Map<const RowMajor> axes(axis_.data(), width_, width_);
  for_each_in_parallel((rows.rows + block_rows - 1) / block_rows, [&](std::int64_t b) {
    const auto first = b * block_rows;
    const auto count = std::min(block_rows, rows.rows - first);
    const RowMajor original = as_doubles(rows, first, count);
    const RowMajor coordinates = original * axes.transpose();
    for (std::int64_t i = 0; i < count; ++i) {
      float* const out = result.row(first + i);
      for (std::int64_t j = 0; j < kept_; ++j) out[j] = static_cast<float>(coordinates(i, j));
      out[kept_] = rounded_up(coordinates.row(i).tail(width_ - kept_).norm());
      out[kept_ + 1] = rounded_up(slack * original.row(i).norm());
    }
  });
  return result;
}

}  // namespace cohort
