// Inner products, nearest rows, what reaches a bar and the k best against plain loops, to the bit, on every vector
// target.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/counts.hpp"
#include "kernels/score_bars.hpp"
#include "kernels/scores.hpp"
#include "kernels/top_k.hpp"
#include "support/kernels_support.hpp"

namespace cohort::testing {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

float inner_product(const float* a, const float* b, std::int64_t columns) {
  float sum = 0;
  for (std::int64_t column = 0; column < columns; ++column) sum = std::fma(a[column], b[column], sum);
  return sum;
}

std::vector<std::int32_t> reference_nearest(const Matrix& points, const Matrix& centres,
                                            const std::vector<float>& offset) {
  std::vector<std::int32_t> nearest;
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    std::int32_t best = 0;
    float least = infinity;
    for (std::int64_t j = 0; j < centres.rows(); ++j) {
      const float value = offset[j] - 2 * inner_product(points.row(i), centres.row(j), points.columns());
      if (value < least) {
        least = value;
        best = static_cast<std::int32_t>(j);
      }
    }
    nearest.push_back(best);
  }
  return nearest;
}

std::vector<float> squared_norms(const Matrix& rows) {
  std::vector<float> norms;
  for (std::int64_t j = 0; j < rows.rows(); ++j) {
    norms.push_back(inner_product(rows.row(j), rows.row(j), rows.columns()));
  }
  return norms;
}

class InnerProducts : public OnEachTarget {};
class NearestRows : public OnEachTarget {};
class BestK : public OnEachTarget {};
class CountAtLeast : public OnEachTarget {};

TEST_F(InnerProducts, EqualTheReferenceToTheBit) {
  for (const std::int64_t columns : {1, 10, 33, 64, 100, 200}) {
    for (const std::int64_t others : {1, 15, 16, 17, 48, 63, 80, 112, 130}) {
      for (const std::int64_t count : {0, 1, 5, 8, 61}) {
        SCOPED_TRACE(::testing::Message() << count << " x " << columns << " against " << others);
        const Matrix a = made_up_matrix(count, columns, 1);
        const Matrix b = made_up_matrix(others, columns, 2);
        Matrix expected(count, others);
        for (std::int64_t i = 0; i < count; ++i) {
          for (std::int64_t j = 0; j < others; ++j) {
            expected.row(i)[j] = inner_product(a.row(i), b.row(j), columns);
          }
        }
        on_each_target([&] {
          Matrix out = made_up_matrix(count, padded_stride(others), 3);  // what stood there must be overwritten
          inner_products(a.view(), PackedRows(b.view()), out.view());
          EXPECT_EQ(out.bytes(), expected.bytes());
          EXPECT_TRUE(count == 0 ||
                      std::memcmp(out.row(0), expected.row(0), static_cast<std::size_t>(out.bytes())) == 0);
        });
      }
    }
  }
}

TEST_F(InnerProducts, OfScatteredRowsHaveTheSameBits) {
  for (const std::int64_t columns : {1, 33, 64}) {
    const Matrix a = made_up_matrix(1, columns, 1);
    const Matrix rows = made_up_matrix(40, columns, 2);
    for (const std::int64_t count : {0, 1, 7, 8, 9, 40}) {
      std::vector<std::int32_t> at;
      std::vector<float> expected;
      for (std::int64_t j = 0; j < count; ++j) {
        at.push_back(static_cast<std::int32_t>(j * 7 % 40));
        expected.push_back(inner_product(a.row(0), rows.row(at.back()), columns));
      }
      on_each_target([&] {
        std::vector<float> out(count);
        inner_products_at(a.row(0), rows.view(), at, out);
        EXPECT_EQ(out, expected);
      });
    }
  }
}

TEST_F(InnerProducts, ThoseNotBelowABarAreFound) {
  for (const std::int64_t count : {0, 1, 5, 16, 17, 100}) {
    auto scores = std::vector<float>(count);
    for (std::int64_t j = 0; j < count; ++j) scores[j] = static_cast<float>(j * 13 % 29) - 10;
    if (count > 4) scores[3] = not_a_number;
    if (count > 16) scores[16] = infinity;
    for (const float bar : {-infinity, -20.0F, 0.0F, 11.0F, infinity}) {
      std::vector<std::int32_t> expected;
      for (std::int64_t j = 0; j < count; ++j) {
        if (!(scores[j] < bar)) expected.push_back(static_cast<std::int32_t>(j));
      }
      on_each_target([&] {
        std::vector<std::int32_t> at(padded_stride(count));
        at.resize(not_below(scores, bar, at));
        EXPECT_EQ(at, expected) << count << " above " << bar;
      });
    }
  }
}

TEST_F(InnerProducts, CountsNotBelowABarAreFound) {
  const auto check = [&]<typename Count>(Count largest) {
    for (const std::size_t size : {0, 1, 63, 64, 127, 128, 255, 256, 257, 1000}) {
      std::vector<Count> counts(size);
      for (std::size_t j = 0; j < size; ++j) counts[j] = static_cast<Count>(j % 7 == 0 ? j * 37 % 300 : j % 3);
      if (size > 70) counts[70] = largest;
      for (const int bar : {0, 1, 2, 100, 255}) {
        std::vector<std::int32_t> expected;
        for (std::size_t j = 0; j < size; ++j) {
          if (counts[j] >= bar) expected.push_back(static_cast<std::int32_t>(j));
        }
        on_each_target([&] {
          std::vector<std::int32_t> at(size);
          at.resize(not_below(std::span<const Count>(counts), static_cast<Count>(bar), at));
          EXPECT_EQ(at, expected) << size << " above " << bar;
        });
      }
    }
  };
  check(std::numeric_limits<std::uint8_t>::max());
  check(std::numeric_limits<std::uint16_t>::max());
}

TEST_F(InnerProducts, PaddingStaysZeroBesideInfinities) {
  Matrix a = made_up_matrix(3, 10, 1);
  a.row(1)[4] = infinity;
  const Matrix b = made_up_matrix(5, 10, 2);
  on_each_target([&] {
    Matrix out(3, 5);
    inner_products(a.view(), PackedRows(b.view()), out.view());
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 5; j < out.stride(); ++j) EXPECT_EQ(out.row(i)[j], 0.0F);
    }
  });
}

TEST_F(InnerProducts, AScaledRowIsAddedInOneRounding) {
  for (const std::int64_t width : {16, 48, 1024}) {
    const Matrix before = made_up_matrix(7, width, 1);
    const Matrix row = made_up_matrix(1, width, 2);
    const Matrix scale = made_up_matrix(1, 6, 3);  // the last row is left alone
    Matrix expected = made_up_matrix(7, width, 1);
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t j = 0; j < width; ++j) {
        expected.row(i)[j] = std::fma(scale.row(0)[i], row.row(0)[j], before.row(i)[j]);
      }
    }
    on_each_target([&] {
      Matrix out = made_up_matrix(7, width, 1);
      add_scaled_row(out.view(), scale.view().at(0), row.view().at(0));
      EXPECT_TRUE(same_bits(out, expected));
    });
  }
}

TEST_F(InnerProducts, RowsGivenByColumnsAreTheSameRows) {
  for (const std::int64_t rows : {1, 15, 16, 33}) {
    const Matrix b = made_up_matrix(rows, 10, 2);
    Matrix by_column(10, rows);
    for (std::int64_t j = 0; j < rows; ++j) {
      for (std::int64_t c = 0; c < 10; ++c) by_column.row(c)[j] = b.row(j)[c];
    }
    const Matrix a = made_up_matrix(7, 10, 1);
    Matrix expected(7, rows);
    Matrix found(7, rows);
    inner_products(a.view(), PackedRows(b.view()), expected.view());
    inner_products(a.view(), PackedRows::of_columns(by_column.view(), rows), found.view());
    for (std::int64_t i = 0; i < 7; ++i) {
      for (std::int64_t j = 0; j < rows; ++j) ASSERT_EQ(found.row(i)[j], expected.row(i)[j]) << rows;
    }
  }
}

TEST_F(InnerProducts, LengthLeftIsThatOfTheOtherColumns) {
  for (const std::int64_t rows : {1, 8, 37}) {
    const Matrix x = made_up_matrix(9, rows, 3);  // a row's nine columns
    std::vector<float> square(rows);
    std::vector<double> rest(rows);
    for (std::int64_t j = 0; j < rows; ++j) {
      for (std::int64_t c = 0; c < 9; ++c) {
        const double value = x.row(c)[j];
        square[j] += static_cast<float>(value * value);
        if (c >= 4) rest[j] += value * value;
      }
    }
    std::vector<float> left(rows);
    lengths_left(x.view().slice(0, 4), square, 0, left);
    for (std::int64_t j = 0; j < rows; ++j) EXPECT_NEAR(left[j], std::sqrt(rest[j]), 1e-5 * std::sqrt(square[j]));
    lengths_left(x.view(), square, 0.01F, left);  // of nothing but the slack
    for (std::int64_t j = 0; j < rows; ++j)
      EXPECT_NEAR(left[j], 0.1 * std::sqrt(square[j]), 1e-4 * std::sqrt(square[j]));
    lengths_left(x.view(), square, -0.01F, left);
    for (std::int64_t j = 0; j < rows; ++j) EXPECT_EQ(left[j], 0.0F);
  }
}

TEST_F(NearestRows, EqualTheReference) {
  for (const std::int64_t columns : {1, 10, 33, 64, 200}) {
    for (const std::int64_t k : {1, 2, 7, 16, 17, 100, 131}) {
      for (const std::int64_t count : {0, 1, 16, 47, 97}) {
        SCOPED_TRACE(::testing::Message() << count << " x " << columns << ", k = " << k);
        const Matrix points = made_up_matrix(count, columns, 4);
        const Matrix centres = made_up_matrix(k, columns, 5);
        const std::vector<float> norms = squared_norms(centres);
        const std::vector<float> zero(k, 0.0F);
        const auto expected = reference_nearest(points, centres, norms);
        const auto expected_spherical = reference_nearest(points, centres, zero);
        on_each_target([&] {
          std::vector<std::int32_t> nearest(count, -1);
          nearest_rows(points.view(), PackedRows(centres.view()), norms, nearest);
          EXPECT_EQ(nearest, expected);
          nearest_rows(points.view(), PackedRows(centres.view()), zero, nearest);
          EXPECT_EQ(nearest, expected_spherical);
        });
      }
    }
  }
}

TEST_F(NearestRows, TiesGoToTheSmallerNumber) {
  const Matrix points = made_up_matrix(50, 10, 6);
  Matrix centres = made_up_matrix(60, 10, 7);
  for (std::int64_t j = 20; j < 60; ++j) std::copy_n(centres.row(j - 20), 10, centres.row(j));
  const std::vector<float> norms = squared_norms(centres);
  on_each_target([&] {
    std::vector<std::int32_t> nearest(50);
    nearest_rows(points.view(), PackedRows(centres.view()), norms, nearest);
    for (const std::int32_t j : nearest) EXPECT_LT(j, 20);
    EXPECT_EQ(nearest, reference_nearest(points, centres, norms));
  });
}

TEST_F(NearestRows, PaddingNeverWinsAndNotANumberIsPassedOver) {
  // Every real value is positive, the padding's inner products are 0.
  Matrix points(5, 3);
  Matrix centres(3, 3);
  for (std::int64_t i = 0; i < 5; ++i) std::fill_n(points.row(i), 3, 1.0F);
  for (std::int64_t j = 0; j < 3; ++j) std::fill_n(centres.row(j), 3, -1.0F - static_cast<float>(j));
  points.row(1)[0] = not_a_number;
  points.row(2)[0] = infinity;
  points.row(3)[0] = -infinity;
  const std::vector<float> offset(3, 1e30F);
  on_each_target([&] {
    std::vector<std::int32_t> nearest(5, -1);
    nearest_rows(points.view(), PackedRows(centres.view()), offset, nearest);
    EXPECT_EQ(nearest, reference_nearest(points, centres, offset));
    EXPECT_EQ(nearest[1], 0);
    EXPECT_EQ(nearest[2], 0);
    EXPECT_EQ(nearest[3], 0);
  });
  centres.row(0)[1] = not_a_number;
  on_each_target([&] {
    std::vector<std::int32_t> nearest(5, -1);
    nearest_rows(points.view(), PackedRows(centres.view()), std::vector<float>(3, 0.0F), nearest);
    EXPECT_EQ(nearest[0], 1);
  });
}

std::vector<ScoredItem> reference_best(const std::vector<float>& scores, const std::vector<std::int64_t>& excluded,
                                       std::int64_t first_item, std::int64_t k) {
  std::vector<ScoredItem> all;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const std::int64_t item = first_item + 3 * static_cast<std::int64_t>(j);
    if (std::isnan(scores[j]) || std::count(excluded.begin(), excluded.end(), item) > 0) continue;
    all.push_back({scores[j], item});
  }
  std::sort(all.begin(), all.end());
  all.resize(std::min(all.size(), static_cast<std::size_t>(k)));
  return all;
}

TEST_F(BestK, EqualsSortingEverything) {
  for (const std::int64_t count : {0, 1, 5, 64, 1000}) {
    for (const std::int64_t k : {0, 1, 20, 2000}) {
      for (const bool ties : {false, true}) {
        SCOPED_TRACE(::testing::Message() << count << " offered, k = " << k << (ties ? ", ties" : ""));
        std::vector<float> scores;
        std::vector<std::int64_t> items;
        std::vector<std::int64_t> excluded;
        for (std::int64_t j = 0; j < count; ++j) {
          const float x = made_up(8, static_cast<std::uint64_t>(j));
          scores.push_back(ties ? std::round(x) : x);
          items.push_back(100 + 3 * j);
          if (j % 7 == 0) excluded.push_back(items.back());
          if (j % 50 == 3) scores.back() = not_a_number;
          if (j % 50 == 4) scores.back() = -infinity;
          if (j % 100 == 5) scores.back() = infinity;
        }
        const auto expected = reference_best(scores, excluded, 100, k);
        on_each_target([&] {
          for (const bool backwards : {false, true}) {
            TopK best(k);
            const std::size_t half = scores.size() / 2;
            const auto offer = [&](std::size_t from, std::size_t to) {
              best.offer(std::span(scores).subspan(from, to - from), std::span(items).subspan(from, to - from),
                         excluded);
            };
            if (backwards) offer(half, scores.size());
            offer(0, half);
            if (!backwards) offer(half, scores.size());
            const auto found = best.sorted();
            ASSERT_EQ(found.size(), expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) {
              EXPECT_EQ(found[i].item, expected[i].item);
              EXPECT_EQ(found[i].score, expected[i].score);
            }
          }
        });
      }
    }
  }
}

TEST_F(CountAtLeast, PassesOverWhatIsNotANumber) {
  for (const std::int64_t count : {0, 1, 15, 16, 17, 128, 1000}) {
    std::vector<float> scores;
    for (std::int64_t j = 0; j < count; ++j) {
      scores.push_back(std::round(4 * made_up(9, static_cast<std::uint64_t>(j))));
      if (j % 50 == 3) scores.back() = not_a_number;
      if (j % 50 == 4) scores.back() = -infinity;
      if (j % 100 == 5) scores.back() = infinity;
    }
    for (const float bar : {-infinity, -1.0F, 0.0F, 1.0F, std::nextafter(1.0F, 2.0F), infinity}) {
      std::int64_t expected = 0;
      for (const auto score : scores) expected += score >= bar ? 1 : 0;
      on_each_target([&] { EXPECT_EQ(count_at_least(scores, bar), expected) << count << ", " << bar; });
    }
  }
}

}  // namespace
}  // namespace cohort::testing
