#include "items/score_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/eigen.hpp"
#include "core/error.hpp"

namespace cohort {

namespace {

// Below it a product costs hardly more than its bound.
constexpr std::int64_t least_width = 32;

constexpr double epsilon = std::numeric_limits<float>::epsilon();

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

ScoreBounds::ScoreBounds(ConstMatrixView users) : width_(users.columns), mean_(1, std::max<std::int64_t>(width_, 1)) {
  if (width_ < least_width || users.rows == 0) return;
  RowMajor rows(users.rows, width_);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(width_);
  for (std::int64_t u = 0; u < users.rows; ++u) {
    for (std::int64_t c = 0; c < width_; ++c) rows(u, c) = users.row(u)[c];
    square_.push_back(squared_length(users.at(u)));
    // Lengths do not matter: the order of a user's items is that of the direction.
    const double length = rows.row(u).norm();
    if (length > 0) rows.row(u) /= length;
    mean += rows.row(u).transpose();
  }
  const RowMajor scatter = rows.transpose() * rows;
  if (!scatter.allFinite()) return;
  const Eigen::SelfAdjointEigenSolver<RowMajor> solver(scatter);
  if (solver.info() != Eigen::Success) return;
  const auto most = width_ / 4;
  axes_ = Matrix(most, width_);
  for (std::int64_t axis = 0; axis < most; ++axis) {  // the solver's values ascend
    for (std::int64_t c = 0; c < width_; ++c) {
      axes_.row(axis)[c] = static_cast<float>(solver.eigenvectors()(c, width_ - 1 - axis));
    }
  }
  for (std::int64_t c = 0; c < width_; ++c) mean_.row(0)[c] = static_cast<float>(mean(c));
  coordinates_ = Matrix(users.rows, most);
  inner_products(users, PackedRows(axes_.view()), coordinates_.view());
  for (std::int64_t u = 0; u < users.rows; ++u) beside_first_.push_back(length_beside(u, 1));
  for (std::int64_t axes = width_ / 32; axes <= most; axes *= 2) choices_.push_back(axes);
}

// Of what stands under the root: coordinates are rounded, and so are the axes, each by (width + 1) epsilon of the row's
// length at most; their squares' sum is off by twice that for each of them.
float ScoreBounds::slack(double columns) const {
  return static_cast<float>(4 * std::sqrt(columns) * static_cast<double>(width_ + 2) * epsilon);
}

void ScoreBounds::keep(std::int64_t axes) {
  COHORT_CHECK(std::ranges::find(choices_, axes) != choices_.end());
  kept_ = axes;
  user_bounds_ = Matrix(coordinates_.rows(), axes + 2);
  for (std::int64_t u = 0; u < coordinates_.rows(); ++u) {
    float* const out = user_bounds_.row(u);
    std::copy_n(coordinates_.row(u), axes, out);
    out[axes] = length_beside(u, axes);
    out[axes + 1] = static_cast<float>(std::sqrt(static_cast<double>(square_[u])) * (1 + 4 * epsilon));
  }
}

float ScoreBounds::length_beside(std::int64_t user, std::int64_t axes) const {
  double left = static_cast<double>(square_[user]) * (1 + static_cast<double>(slack(static_cast<double>(axes))));
  for (std::int64_t a = 0; a < axes; ++a) {
    left -= static_cast<double>(coordinates_.row(user)[a]) * coordinates_.row(user)[a];
  }
  return static_cast<float>(std::sqrt(std::max(0.0, left)));
}

void ScoreBounds::items_beside_first(const Matrix& items, std::span<const float> square, std::span<float> out) const {
  lengths_left(items.view().slice(0, 1), square, slack(1), out);
}

Matrix ScoreBounds::of_items(const PackedRows& items, std::span<const float> square) const {
  COHORT_CHECK(kept_ > 0 && items.columns() == width_ && std::ssize(square) == items.rows());
  // What float32 can lose of a product of two rows of length 1: half an ulp for each of its columns, twice over; and of
  // the bound's own: its rounding, and that of the coordinates and axes of both rows.
  const double columns = static_cast<double>(kept_);
  const auto lost = static_cast<float>(
      (static_cast<double>(width_ + kept_ + 32) + 4 * std::sqrt(columns) * static_cast<double>(width_ + 2)) * epsilon);
  Matrix rows(kept_ + 2, items.panels() * 16);
  inner_products(axes_.view().slice(0, kept_), items, rows.view().slice(0, kept_));
  lengths_left(rows.view().slice(0, kept_), square, slack(columns), {rows.row(kept_), square.size()});
  float* const length = rows.row(kept_ + 1);
  for (std::size_t i = 0; i < square.size(); ++i) length[i] = lost * std::sqrt(square[i]);
  return rows;
}

float ScoreBounds::squared_length(std::span<const float> row) {
  constexpr double least = 1e-30;
  double sum = 0;
  for (const float x : row) sum += static_cast<double>(x) * x;
  return static_cast<float>((sum < least ? least : sum) * (1 + epsilon));
}

}  // namespace cohort
