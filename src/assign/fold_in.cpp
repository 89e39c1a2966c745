// Users are folded in a batch at a time: the rows of f that a batch refers to are fetched from their owners, then every
// user is one sparse row times them, added in the order of item numbers.
#include "assign/fold_in.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "comm/row_exchange.hpp"
#include "core/fixed_point.hpp"
#include "core/parallel.hpp"
#include "data/distinct.hpp"
#include "data/pair_table.hpp"
#include "kernels/rows.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

namespace {

// Edges of a batch; it refers to at most as many rows of f.
constexpr std::int64_t batch_edges = std::int64_t{1} << 20;
constexpr std::int64_t rows_at_a_time = 256;

// value[k] = weight[k] / sqrt(sum of weight).
void normalise(std::span<const float> weight, std::span<float> value) {
  double degree = 0;
  for (const auto w : weight) degree += static_cast<double>(w);
  const double root = std::sqrt(degree);
  for (std::size_t k = 0; k < weight.size(); ++k) {
    value[k] = static_cast<float>(static_cast<double>(weight[k]) / root);
  }
}

std::size_t edge_at(const PairTable& edges, std::int64_t row) {
  return static_cast<std::size_t>(edges.row_begin[row]);
}

// Rows of `table` that one batch refers to, and its users' edges into them.
class Batch {
 public:
  Batch(const PairTable& edges, std::int64_t first, std::int64_t last, const Distribution& items, int rank)
      : first_(first), begin_(edge_at(edges, first)) {
    const auto count = edge_at(edges, last) - begin_;
    auto distinct = distinct_of(std::span<const std::int64_t>(edges.other).subspan(begin_, count));
    std::vector<std::int32_t> row_of(distinct.values.size());
    const auto is_own = [&](std::int64_t item) { return item >= items.begin(rank) && item < items.end(rank); };
    for (std::size_t i = 0; i < row_of.size(); ++i) {
      if (is_own(distinct.values[i])) continue;
      row_of[i] = static_cast<std::int32_t>(fetched.size());
      fetched.emplace_back(distinct.values[i]);
    }
    for (std::size_t i = 0; i < row_of.size(); ++i) {
      if (!is_own(distinct.values[i])) continue;
      row_of[i] = static_cast<std::int32_t>(std::ssize(fetched) + std::ssize(own));
      own.push_back(distinct.values[i] - items.begin(rank));
    }
    for (auto row = first; row <= last; ++row) {
      row_begin_.push_back(static_cast<std::int64_t>(edge_at(edges, row) - begin_));
    }
    column_.reserve(count);
    for (const auto place : distinct.place) column_.emplace_back(row_of[place]);
    value_.resize(count);
  }

  std::int64_t rows() const { return std::ssize(fetched) + std::ssize(own); }

  void multiply(const PairTable& edges, ConstMatrixView in, MatrixView out) {
    const auto users = std::ssize(row_begin_) - 1;
    const SparseRows matrix{row_begin_, column_, value_};
    for_each_in_parallel((users + rows_at_a_time - 1) / rows_at_a_time, [&](std::int64_t chunk) {
      const auto end = std::min(users, (chunk + 1) * rows_at_a_time);
      std::vector<LocalRow> list;
      for (auto row = chunk * rows_at_a_time; row < end; ++row) {
        const auto from = static_cast<std::size_t>(row_begin_[row]);
        const auto count = static_cast<std::size_t>(row_begin_[row + 1]) - from;
        normalise(std::span(edges.weight).subspan(begin_ + from, count), std::span(value_).subspan(from, count));
        list.emplace_back(static_cast<std::int32_t>(row));
      }
      spmm(matrix, list, in, {}, 1.0F, out.slice(first_, users));
    });
  }

  std::vector<Position> fetched;  ///< items of other ranks, ascending: the first rows
  std::vector<std::int64_t> own;  ///< rows of this rank's block, ascending: the others

 private:
  std::int64_t first_;
  std::size_t begin_;  // of the batch's edges among all
  std::vector<std::int64_t> row_begin_;
  std::vector<LocalRow> column_;
  std::vector<float> value_;
};

// The first row after a batch that starts at `row`: as many as have at most batch_edges edges, but one at least.
std::int64_t batch_end(const PairTable& edges, std::int64_t row) {
  const auto most = edges.row_begin[row] + batch_edges;
  auto end = row + 1;
  while (end < edges.rows() && edges.row_begin[end + 1] <= most && end - row < batch_edges) {
    ++end;
  }
  return end;
}

// 1 / sqrt(d_j) of this rank's items, 0 where there is no edge; counts their users. Collective.
std::vector<double> inverse_roots(const Communicator& comm, const FoldInSource& source,
                                  std::vector<std::int64_t>& users) {
  const auto& edges = *source.edges;
  RawPairs turned;
  comm.attempt([&] {
    turned.row.assign(edges.other.begin(), edges.other.end());
    turned.weight.assign(edges.weight.begin(), edges.weight.end());
    turned.other.resize(edges.other.size());
    for (std::int64_t u = 0; u < edges.rows(); ++u) {
      std::fill(turned.other.begin() + edges.row_begin[u], turned.other.begin() + edges.row_begin[u + 1],
                source.user_rows->begin(comm.rank()) + u);
    }
  });
  // By item and then by user, so that a degree is added up in the same order on any number of ranks.
  const auto by_item = make_pair_table(comm, *source.items, std::move(turned)).table;
  std::vector<double> result;
  for (std::int64_t i = 0; i < by_item.rows(); ++i) {
    double degree = 0;
    for (auto k = edge_at(by_item, i); k < edge_at(by_item, i + 1); ++k) {
      degree += static_cast<double>(by_item.weight[k]);
    }
    users.push_back(static_cast<std::int64_t>(edge_at(by_item, i + 1) - edge_at(by_item, i)));
    result.push_back(degree > 0 ? 1 / std::sqrt(degree) : 0.0);
  }
  return result;
}

void scale_row(double factor, std::int64_t columns, const float* from, float* to) {
  for (std::int64_t j = 0; j < columns; ++j) to[j] = static_cast<float>(factor * static_cast<double>(from[j]));
}

// The c of least squares, from whole-number sums. Collective.
double fitted_scale(const Communicator& comm, ConstMatrixView folded, ConstMatrixView trained) {
  const auto count = static_cast<std::size_t>(folded.rows);
  std::vector<double> with_trained(count);
  std::vector<double> with_itself(count);
  double largest = 0;
  bool finite = true;
  for (std::size_t u = 0; u < count; ++u) {
    const auto* const row = folded.row(static_cast<std::int64_t>(u));
    with_trained[u] = row_dot(row, trained.row(static_cast<std::int64_t>(u)), folded.stride);
    with_itself[u] = row_dot(row, row, folded.stride);
    finite = finite && std::isfinite(with_trained[u]) && std::isfinite(with_itself[u]);
    largest = std::max({largest, std::abs(with_trained[u]), with_itself[u]});
  }
  comm.attempt([&] {
    if (!finite) throw RunError("the embedding holds numbers that are not finite: training diverged");
  });
  const auto fixed = FixedPoint::for_sum(comm.sum(folded.rows), comm.max(largest));
  std::int64_t sums[] = {0, 0};
  for (std::size_t u = 0; u < count; ++u) {
    sums[0] += fixed.fixed(with_trained[u]);
    sums[1] += fixed.fixed(with_itself[u]);
  }
  comm.sum_in_place(std::span<std::int64_t>(sums));
  return sums[1] > 0 ? fixed.real(sums[0]) / fixed.real(sums[1]) : 1.0;
}

}  // namespace

Matrix fold_in(const Communicator& comm, ConstMatrixView table, const Distribution& items, const PairTable& edges) {
  COHORT_CHECK(table.rows == items.count(comm.rank()));
  const auto columns = comm.max(table.rows > 0 ? table.columns : 0);
  COHORT_CHECK(table.rows == 0 || table.columns == columns);
  Matrix result;
  comm.attempt([&] { result = Matrix(edges.rows(), columns); });
  RowExchange exchange(comm, columns);
  for (std::int64_t row = 0; comm.any(row < edges.rows());) {
    const auto end = row < edges.rows() ? batch_end(edges, row) : row;
    std::optional<Batch> batch;
    Matrix rows;
    comm.attempt([&] {
      batch.emplace(edges, row, end, items, comm.rank());
      rows = Matrix(batch->rows(), columns);
      for (std::size_t i = 0; i < batch->own.size(); ++i) {
        std::memcpy(rows.row(std::ssize(batch->fetched) + static_cast<std::int64_t>(i)), table.row(batch->own[i]),
                    static_cast<std::size_t>(table.stride) * sizeof(float));
      }
    });
    const auto plan = plan_fetch(comm, items, batch->fetched);
    exchange.start(plan, table, rows.row(0));
    exchange.finish();
    comm.attempt([&] { batch->multiply(edges, rows.view(), result.view()); });
    row = end;
  }
  return result;
}

void fold_in_row(ConstMatrixView table, std::span<const LocalRow> item, std::span<const float> weight, float* out) {
  COHORT_CHECK(item.size() == weight.size());
  std::vector<float> value(weight.size());
  normalise(weight, value);
  const std::int64_t row_begin[] = {0, std::ssize(item)};
  const LocalRow row{0};
  spmm({row_begin, item, value}, {&row, 1}, table, {}, 1.0F, {out, 1, table.columns, table.stride});
}

FoldInTable make_fold_in(const Communicator& comm, const FoldInSource& source) {
  COHORT_CHECK(source.edges->rows() == source.users.rows && source.below.rows == source.items->count(comm.rank()));
  FoldInTable result;
  const auto inverse_root = inverse_roots(comm, source, result.users);
  const auto scaled = [&](double factor) {
    Matrix rows(source.below.rows, source.below.columns);
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
      scale_row(factor * inverse_root[i], rows.columns(), source.below.row(i), rows.row(i));
    }
    return rows;
  };
  comm.attempt([&] { result.rows = scaled(1.0); });
  const auto folded = fold_in(comm, result.rows.view(), *source.items, *source.edges);
  const auto scale = fitted_scale(comm, folded.view(), source.users);
  comm.attempt([&] { result.rows = scaled(scale); });
  return result;
}

}  // namespace cohort
