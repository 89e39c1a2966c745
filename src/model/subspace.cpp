#include "model/subspace.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "kernels/scores.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

namespace {

using Rows = std::span<const LocalRow>;

// Partial sums that a rank holds at once: 2^22 of them, 32 MiB. Which are summed together does not change their bits.
constexpr std::int64_t partials_at_once = std::int64_t{1} << 22;
// Rows that a thread takes to another basis at a time.
constexpr std::int64_t block_rows = 128;
// A column's padding up to whole tiles of the products below.
constexpr std::int64_t tile_rows = 4;
constexpr std::int64_t tile_columns = 8;

// products[i][j] = sum over the rows, ascending, of x[a + i] * y[b + j]: in registers from the first row to the last.
void multiply_tile(Rows rows, ConstMatrixView x, std::int64_t a, ConstMatrixView y, std::int64_t b,
                   double (&sum)[tile_rows][tile_columns]) {
  for (auto& row : sum) std::fill(std::begin(row), std::end(row), 0.0);
  for (const LocalRow row : rows) {
    const float* const left = x.row(row.value) + a;
    const float* const right = y.row(row.value) + b;
    double factor[tile_columns];
    for (std::int64_t j = 0; j < tile_columns; ++j) factor[j] = static_cast<double>(right[j]);
    for (std::int64_t i = 0; i < tile_rows; ++i) {
      const auto value = static_cast<double>(left[i]);
      for (std::int64_t j = 0; j < tile_columns; ++j) sum[i][j] += value * factor[j];
    }
  }
}

std::int64_t rows_at_once(const Communicator& comm, const ShardGraph& graph, std::int64_t columns) {
  std::int64_t most = 1;
  for (int rank = 0; rank < comm.size(); ++rank) most = std::max(most, graph.layout.shards_of_rank.count(rank));
  return std::max<std::int64_t>(partials_at_once / (most * columns) / tile_rows, 1) * tile_rows;
}

}  // namespace

Subspace::Subspace(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, int threads)
    : comm_(comm),
      graph_(graph),
      columns_(columns),
      threads_(threads),
      together_(rows_at_once(comm, graph, columns)),
      shard_sum_(comm, graph.layout),
      propagation_(comm, graph, columns, threads) {}

void Subspace::start(const RowSet& set, std::uint64_t seed, HaloMatrix& block) const {
  const CounterRandom random(seed, Purpose::spectral_start);
#pragma omp parallel for schedule(static) num_threads(threads_)
  for (std::size_t i = 0; i < set.rows.size(); ++i) {
    const auto row = set.rows[i].value;
    const auto node = static_cast<std::uint64_t>(graph_.node[row].value);
    float* const values = block.row(row);
    for (std::int64_t column = 0; column < columns_; column += 2) {
      const auto pair = random.normal(node, static_cast<std::uint32_t>(column / 2));
      values[column] = static_cast<float>(pair[0]);
      if (column + 1 < columns_) values[column + 1] = static_cast<float>(pair[1]);
    }
  }
}

void Subspace::multiply(const RowSet& set, HaloMatrix& in, HaloMatrix& out) {
  propagation_.over(in, set.selection(), [&](Rows rows, std::int64_t /*place*/) {
    spmm(propagation_.entries(), rows, in.view(), {}, 1.0F, out.view());
  });
}

Eigen::MatrixXd Subspace::products(const RowSet& set, const HaloMatrix& x, const HaloMatrix& y) const {
  Eigen::MatrixXd result;
  std::vector<double> partials;
  const bool symmetric = &x == &y;  // then what is above the diagonal is below it too
  const std::int64_t padded = (columns_ + tile_columns - 1) / tile_columns * tile_columns;
  comm_.attempt([&] { result = Eigen::MatrixXd::Zero(columns_, columns_); });
  for (std::int64_t first = 0; first < columns_; first += together_) {
    const auto count = std::min(together_, columns_ - first);
    comm_.attempt([&] {
      partials.assign(set.shards() * count * columns_, 0.0);
      for_each_in_parallel(set.shards(), threads_, [&](std::int64_t shard) {
        double sum[tile_rows][tile_columns];
        double* const out = partials.data() + shard * count * columns_;
        for (std::int64_t a = 0; a < count; a += tile_rows) {
          const std::int64_t from = symmetric ? (first + a) / tile_columns * tile_columns : 0;
          for (std::int64_t b = from; b < padded; b += tile_columns) {
            multiply_tile(set.shard(shard), x.view(), first + a, y.view(), b, sum);
            for (std::int64_t i = 0; i < std::min(tile_rows, count - a); ++i) {
              std::copy_n(sum[i], std::min(tile_columns, columns_ - b), out + (a + i) * columns_ + b);
            }
          }
        }
      });
    });
    const auto sums = shard_sum_.of(partials, count * columns_);
    for (std::int64_t a = 0; a < count; ++a) {
      for (std::int64_t b = 0; b < columns_; ++b) result(first + a, b) = sums[a * columns_ + b];
    }
  }
  if (symmetric) result = Eigen::MatrixXd(result.selfadjointView<Eigen::Upper>());
  return result;
}

void Subspace::transform(const RowSet& set, const Eigen::MatrixXd& basis, HaloMatrix& rows) const {
  comm_.attempt([&] {
    Matrix transposed(columns_, columns_);
    for (std::int64_t i = 0; i < columns_; ++i) {
      for (std::int64_t j = 0; j < columns_; ++j) transposed.row(j)[i] = static_cast<float>(basis(i, j));
    }
    const PackedRows packed(transposed.view());
    const std::int64_t blocks = (std::ssize(set.rows) + block_rows - 1) / block_rows;
    for_each_in_parallel(blocks, threads_, [&](std::int64_t block) {
      const auto first = static_cast<std::size_t>(block * block_rows);
      const auto part =
          Rows(set.rows).subspan(first, std::min(static_cast<std::size_t>(block_rows), set.rows.size() - first));
      Matrix in(std::ssize(part), columns_);
      Matrix out(std::ssize(part), columns_);
      for (std::size_t i = 0; i < part.size(); ++i) {
        std::copy_n(rows.row(part[i].value), rows.stride(), in.row(static_cast<std::int64_t>(i)));
      }
      inner_products(in.view(), packed, out.view());
      for (std::size_t i = 0; i < part.size(); ++i) {
        std::copy_n(out.row(static_cast<std::int64_t>(i)), rows.stride(), rows.row(part[i].value));
      }
    });
  });
}

// A small dense step: made once, so that every rank has its bits.
template <class Make>
Eigen::MatrixXd Subspace::on_root(Make make) const {
  Eigen::MatrixXd result;
  comm_.attempt([&] {
    if (comm_.is_root()) result = make();
  });
  std::vector<double> values(result.data(), result.data() + result.size());
  comm_.broadcast(values);
  const auto rows = std::ssize(values) / columns_;
  return Eigen::Map<const Eigen::MatrixXd>(values.data(), rows, columns_);
}

// R^-1 of G + shift = R' R.
Eigen::MatrixXd Subspace::inverse_factor(const Eigen::MatrixXd& gram) const {
  const double norm = gram.trace();
  if (norm == 0) return Eigen::MatrixXd::Zero(columns_, columns_);
  // 11 (m n + n (n + 1)) u |X|^2, as the paper has it; u of float64, in which the products are summed.
  const auto entries = static_cast<double>(columns_) * static_cast<double>(graph_.users + graph_.items + columns_);
  const double shift = 11 * entries * std::numeric_limits<double>::epsilon() / 2 * norm;
  const Eigen::LLT<Eigen::MatrixXd> factor(gram + shift * Eigen::MatrixXd::Identity(columns_, columns_));
  if (factor.info() != Eigen::Success) throw RunError("the graph's eigenvectors cannot be found: no Cholesky factor");
  return factor.matrixU().solve(Eigen::MatrixXd::Identity(columns_, columns_));
}

void Subspace::orthonormalise(const RowSet& set, HaloMatrix& rows, Passes passes) const {
  for (int pass = 0; pass < (passes == Passes::twice ? 2 : 1); ++pass) {
    const auto gram = products(set, rows, rows);
    transform(set, on_root([&] { return inverse_factor(gram); }), rows);
  }
}

Subspace::Pairs Subspace::eigenpairs(const Eigen::MatrixXd& projected, Order ordered) const {
  Eigen::MatrixXd joined = on_root([&] {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver((projected + projected.transpose()) / 2);
    if (solver.info() != Eigen::Success) throw RunError("the graph's eigenvectors cannot be found: no convergence");
    std::vector<Eigen::Index> order(columns_);
    std::iota(order.begin(), order.end(), Eigen::Index{0});
    const auto& values = solver.eigenvalues();
    std::ranges::stable_sort(order, [&](Eigen::Index a, Eigen::Index b) {
      const double left = ordered == Order::magnitude ? std::abs(values[a]) : values[a];
      const double right = ordered == Order::magnitude ? std::abs(values[b]) : values[b];
      return left != right ? left > right : values[a] > values[b];
    });
    Eigen::MatrixXd all(columns_ + 1, columns_);
    for (std::int64_t j = 0; j < columns_; ++j) {
      all(0, j) = values[order[j]];
      all.block(1, j, columns_, 1) = solver.eigenvectors().col(order[j]);
    }
    return all;
  });
  Pairs pairs;
  pairs.values.assign(joined.row(0).begin(), joined.row(0).end());
  pairs.vectors = joined.bottomRows(columns_);
  return pairs;
}

Matrix Subspace::finish(std::initializer_list<const RowSet*> sets, HaloMatrix& block, std::int64_t dim) const {
  const auto wanted = std::min(columns_, dim);
  for (const auto* set : sets) {
    const auto squares = products(*set, block, block);
    Eigen::MatrixXd scale = Eigen::MatrixXd::Zero(columns_, columns_);
    for (std::int64_t j = 0; j < wanted; ++j) {
      if (squares(j, j) > 0) scale(j, j) = 1 / std::sqrt(squares(j, j));
    }
    transform(*set, scale, block);
  }
  const auto sign = signs(block, wanted);
  Matrix result;
  comm_.attempt([&] {
    result = Matrix(graph_.owned(), dim);
#pragma omp parallel for schedule(static) num_threads(threads_)
    for (std::int64_t row = 0; row < graph_.owned(); ++row) {
      for (std::int64_t j = 0; j < wanted; ++j) {
        result.row(row)[j] = static_cast<float>(sign[j]) * block.row(row)[j];
      }
    }
  });
  return result;
}

// -1 where the entry of largest magnitude, of equals the smallest node's, is negative.
std::vector<std::int64_t> Subspace::signs(const HaloMatrix& block, std::int64_t wanted) const {
  constexpr auto nowhere = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> largest(wanted, 0);  // bits of the magnitude, negative so that the least wins
  const auto bits = [&](std::int64_t row, std::int64_t j) {
    return -std::int64_t{std::bit_cast<std::int32_t>(std::fabs(block.row(row)[j]))};
  };
  for (std::int64_t row = 0; row < graph_.owned(); ++row) {
    for (std::int64_t j = 0; j < wanted; ++j) largest[j] = std::min(largest[j], bits(row, j));
  }
  comm_.min_in_place(std::span<std::int64_t>(largest));
  std::vector<std::int64_t> where(wanted, nowhere);  // node, and in the last bit whether it is negative
  for (std::int64_t row = 0; row < graph_.owned(); ++row) {
    for (std::int64_t j = 0; j < wanted; ++j) {
      if (bits(row, j) != largest[j]) continue;
      const auto node = 2 * graph_.node[row].value + (block.row(row)[j] < 0 ? 1 : 0);
      where[j] = std::min(where[j], node);
    }
  }
  comm_.min_in_place(std::span<std::int64_t>(where));
  for (auto& each : where) each = each != nowhere && each % 2 == 1 ? -1 : 1;
  return where;
}

}  // namespace cohort
