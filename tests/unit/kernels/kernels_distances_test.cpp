// Distances and the sums of groups against scalar code, to the bit, on every vector target.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "kernels/distances.hpp"
#include "support/kernels_support.hpp"

namespace cohort::testing {
namespace {

class Distances : public OnEachTarget {};

constexpr std::int64_t widths[] = {1, 10, 33, 64, 100};

// The sums of the elements l, l + 16, ... by one fused operation each, halved pairwise.
class Lanes {
 public:
  void add(const Matrix& a, std::int64_t i, const Matrix& b, std::int64_t j) {
    for (std::int64_t e = 0; e < a.stride(); ++e) {
      const double difference = static_cast<double>(a.row(i)[e]) - static_cast<double>(b.row(j)[e]);
      sums_[e % 16] = std::fma(difference, difference, sums_[e % 16]);
    }
  }
  double sum() const {
    double lane[16];
    std::copy_n(sums_, 16, lane);
    for (int half = 8; half >= 1; half /= 2) {
      for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
    }
    return lane[0];
  }

 private:
  double sums_[16] = {};
};

TEST_F(Distances, AreThoseOfScalarCode) {
  for (const std::int64_t width : widths) {
    SCOPED_TRACE(width);
    const Matrix rows = made_up_matrix(2, width, 3);
    Lanes expected;
    expected.add(rows, 0, rows, 1);
    double plain = 0;
    for (std::int64_t e = 0; e < width; ++e) {
      plain += std::pow(static_cast<double>(rows.row(0)[e]) - static_cast<double>(rows.row(1)[e]), 2);
    }
    on_each_target([&] {
      EXPECT_EQ(squared_distance(rows.row(0), rows.row(1), rows.stride()), expected.sum());
      EXPECT_NEAR(squared_distance(rows.row(0), rows.row(1), rows.stride()), plain, 1e-13 * plain);
      EXPECT_EQ(squared_distance(rows.row(0), rows.row(0), rows.stride()), 0.0);
    });
  }
}

TEST_F(Distances, SeparateWhatFloat32ProductsCannot) {
  Matrix rows(2, 10);
  rows.row(0)[3] = 1000.0F;
  rows.row(1)[3] = std::nextafter(1000.0F, 2000.0F);
  const double gap = static_cast<double>(rows.row(1)[3]) - 1000.0;
  on_each_target([&] { EXPECT_EQ(squared_distance(rows.row(0), rows.row(1), 16), gap * gap); });
}

TEST_F(Distances, GroupsAreSummedInWholeNumbers) {
  constexpr std::int64_t count = 100;
  constexpr std::int64_t groups = 7;  // of which one gets nothing
  constexpr double scale = 0x1p40;
  for (const std::int64_t width : widths) {
    SCOPED_TRACE(width);
    const Matrix rows = made_up_matrix(count, width, 4);
    const Matrix centres = made_up_matrix(groups, width, 5);
    std::vector<std::int32_t> group(count);
    for (std::size_t i = 0; i < group.size(); ++i) group[i] = static_cast<std::int32_t>(i * i % 5 + i % 2);
    std::vector<std::int64_t> expected(groups * rows.stride(), 1);
    Lanes distance;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto g = group[i];
      ASSERT_LT(g, groups - 1);
      distance.add(rows, i, centres, g);
      for (std::int64_t e = 0; e < rows.stride(); ++e) {
        expected[g * rows.stride() + e] += std::llrint(scale * double{rows.row(i)[e]});
      }
    }
    on_each_target([&] {
      std::vector<std::int64_t> sums(expected.size(), 1);
      EXPECT_EQ(add_to_groups(rows.view(), group, centres.view(), scale, sums), distance.sum());
      EXPECT_EQ(sums, expected);
    });
  }
}

TEST_F(Distances, ElementsUpToTwoToTheFiftyAreWhole) {
  Matrix rows(2, 1);
  rows.row(0)[0] = 1.0F;
  rows.row(1)[0] = -1.0F + 0x1p-24F;
  const Matrix centres(2, 1);
  on_each_target([&] {
    std::vector<std::int64_t> sums(32);
    add_to_groups(rows.view(), std::vector<std::int32_t>{0, 1}, centres.view(), 0x1p50, sums);
    EXPECT_EQ(sums[0], std::int64_t{1} << 50);
    EXPECT_EQ(sums[16], -(std::int64_t{1} << 50) + (std::int64_t{1} << 26));
  });
}

TEST_F(Distances, ShapesAreChecked) {
  const Matrix rows = made_up_matrix(3, 10, 1);
  std::vector<std::int64_t> sums(16);
  EXPECT_THROW(add_to_groups(rows.view(), std::vector<std::int32_t>(2), rows.view().slice(0, 1), 1, sums),
               InternalError);
  EXPECT_THROW(add_to_groups(rows.view(), std::vector<std::int32_t>(3), rows.view(), 1, sums), InternalError);
}

}  // namespace
}  // namespace cohort::testing
