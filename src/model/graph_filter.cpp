#include "model/graph_filter.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

#include "kernels/spmm.hpp"

namespace cohort {

namespace {

// next <- 2 (current - 2 image) - next, or, of the first, current - 2 image; sum <- sum + factor * next.
void advance(bool first, const float* current, const float* image, float factor, float* next, float* sum) {
  for (std::int64_t j = 0; j < GraphFilter::columns; ++j) {
    const float reflected = current[j] - 2 * image[j];
    next[j] = first ? reflected : 2 * reflected - next[j];
    sum[j] += factor * next[j];
  }
}

}  // namespace

GraphFilter::GraphFilter(const Communicator& comm, const ShardGraph& graph, int threads)
    : propagation_(comm, graph, columns, threads), even_(propagation_.matrix()), odd_(propagation_.matrix()) {
  comm.attempt([&] {
    users_ = choose_rows(graph, [&](LocalRow row) { return graph.is_user(row); });
    items_ = choose_rows(graph, [&](LocalRow row) { return !graph.is_user(row); });
    sum_ = Matrix(graph.owned(), columns);
  });
}

ConstMatrixView GraphFilter::apply(const Coefficients& coefficients) {
  for (const LocalRow row : items_.rows) {
    for (std::int64_t j = 0; j < columns; ++j) {
      sum_.row(row.value)[j] = static_cast<float>(coefficients[0]) * even_.row(row.value)[j];
    }
  }
  for (std::int64_t k = 0; k < products; ++k) {
    auto& current = k % 2 == 0 ? even_ : odd_;
    auto& next = k % 2 == 0 ? odd_ : even_;
    const auto factor = static_cast<float>(coefficients[k + 1]);
    propagation_.over(current, users_.selection(), [&](Propagation::Rows rows, std::int64_t /*place*/) {
      spmm(propagation_.entries(), rows, current.view(), {}, 1.0F, current.view());
    });
    propagation_.over(current, items_.selection(), [&](Propagation::Rows rows, std::int64_t /*place*/) {
      thread_local Matrix image(Propagation::block_rows, columns);
      for (std::size_t first = 0; first < rows.size(); first += static_cast<std::size_t>(Propagation::block_rows)) {
        const auto part =
            rows.subspan(first, std::min(static_cast<std::size_t>(Propagation::block_rows), rows.size() - first));
        spmm_block(propagation_.entries(), part, current.view(), {}, 1.0F, image.view());
        for (std::size_t i = 0; i < part.size(); ++i) {
          const auto row = part[i].value;
          advance(k == 0, current.row(row), image.row(static_cast<std::int64_t>(i)), factor, next.row(row),
                  sum_.row(row));
        }
      }
    });
  }
  return sum_.view();
}

GraphFilter::Coefficients filter_coefficients(double ridge) {
  if (ridge == 0) return {0.5, -0.4927, 0, -0.0323, 0, 0.0211};
  constexpr int nodes = 400;  // of the quadrature, Chebyshev's
  GraphFilter::Coefficients c{};
  for (int j = 0; j < nodes; ++j) {
    const double angle = std::numbers::pi * (j + 0.5) / nodes;
    const double p = (1 - std::cos(angle)) / 2;
    for (std::size_t k = 0; k < c.size(); ++k) {
      c[k] += (k == 0 ? 1.0 : 2.0) / nodes * p / (p + ridge) * std::cos(static_cast<double>(k) * angle);
    }
  }
  c[0] -= std::accumulate(c.begin(), c.end(), 0.0);  // T_k(1) = 1
  return c;
}

}  // namespace cohort
