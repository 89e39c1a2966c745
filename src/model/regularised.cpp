#include "model/regularised.hpp"

#include <algorithm>
#include <cmath>

#include "comm/shard_sum.hpp"
#include "core/error.hpp"
#include "kernels/spmm.hpp"
#include "model/subspace.hpp"

namespace cohort {

namespace {

constexpr std::int64_t oversampling = 16;
// A filter's products, and how often it is made anew. A wider gap needs fewer; most graphs need five to ten rounds.
constexpr int filter_degree = 8;
constexpr int most_rounds = 40;
constexpr double settled = 1e-6;

double mean_degree(const Communicator& comm, const ShardGraph& graph) {
  const auto shards = graph.layout.shards_of_rank.count(comm.rank());
  std::vector<double> partials;
  comm.attempt([&] {
    for (std::int32_t k = 0; k < shards; ++k) {
      double sum = 0;
      const auto end = graph.shard_first_row(comm.rank(), k + 1);
      for (auto row = graph.shard_first_row(comm.rank(), k); row < end; ++row) sum += graph.degree[row];
      partials.push_back(sum);
    }
  });
  return shard_sum(comm, graph.layout, partials) / static_cast<double>(graph.users + graph.items);
}

// sqrt(d / (d + t)).
double row_scale(double degree, double added) {
  return degree > 0 ? std::sqrt(degree / (degree + added)) : 0;
}

class ChebyshevIteration {
 public:
  ChebyshevIteration(const Communicator& comm, const ShardGraph& graph, const RegularisedOptions& options, double added,
                     std::int64_t columns)
      : graph_(graph),
        options_(options),
        space_(comm, graph, columns, options.threads),
        all_(space_.chosen([](LocalRow) { return true; })),
        block_(space_.matrix()),
        image_(space_.matrix()),
        before_(space_.matrix()),
        scaled_{space_.matrix(), space_.matrix()} {
    comm.attempt([&] {
      for (const double degree : graph.degree) scale_.push_back(static_cast<float>(row_scale(degree, added)));
    });
  }

  Spectrum run() {
    space_.start(all_, options_.seed, block_);
    space_.orthonormalise(all_, block_);
    auto values = rotate();
    for (int round = 1; round < most_rounds && filter(values); ++round) {
      space_.orthonormalise(all_, block_);
      const auto last = std::exchange(values, rotate());
      double moved = 0;
      for (std::size_t j = 0; j < wanted(); ++j) moved = std::max(moved, std::abs(values[j] - last[j]));
      if (moved < settled) break;
    }
    std::vector<double> kept(options_.dim, 0.0);
    Eigen::MatrixXd keep = Eigen::MatrixXd::Zero(space_.columns(), space_.columns());
    for (std::size_t j = 0; j < wanted(); ++j) {
      if (values[j] <= least_eigenvalue_share * values.front()) continue;
      kept[j] = values[j];
      keep(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(j)) = 1;
    }
    space_.transform(all_, keep, block_);
    return {space_.finish({&all_}, block_, options_.dim), kept};
  }

 private:
  std::size_t wanted() const { return static_cast<std::size_t>(std::min(options_.dim, space_.columns())); }

  // out = M in. What neighbours may still read of the last product is another matrix than what is written now.
  void multiply(const HaloMatrix& in, HaloMatrix& out) {
    auto& scaled = scaled_[turn_];
    turn_ = 1 - turn_;
    by_rows(
        [&](std::int64_t row, std::int64_t column) { scaled.row(row)[column] = scale_[row] * in.row(row)[column]; });
    space_.multiply(all_, scaled, out);
    by_rows([&](std::int64_t row, std::int64_t column) { out.row(row)[column] *= scale_[row]; });
  }

  template <class Body>
  void by_rows(Body body) {
#pragma omp parallel for schedule(static) num_threads(options_.threads)
    for (std::int64_t row = 0; row < graph_.owned(); ++row) {
      for (std::int64_t column = 0; column < space_.columns(); ++column) body(row, column);
    }
  }

  // Rayleigh-Ritz: the block's columns become its best eigenvectors. Returns their values.
  std::vector<double> rotate() {
    multiply(block_, image_);
    auto pairs = space_.eigenpairs(space_.products(all_, block_, image_), Subspace::Order::value);
    space_.transform(all_, pairs.vectors, block_);
    return pairs.values;
  }

  // The Chebyshev polynomial that is at most 1 between -1 and the smallest Ritz value and 1 at the largest, of M, times
  // the block. False where there is nothing below that to make small.
  bool filter(const std::vector<double>& values) {
    const double end = values.back();
    const double half = (end + 1) / 2;
    const double centre = (end - 1) / 2;
    if (values.front() - end < settled || half < settled || space_.columns() == graph_.users + graph_.items)
      return false;
    const double first = half / (values.front() - centre);
    double sigma = first;
    // next = a (M block - centre block) - b before, which then is the block.
    const auto step = [&](double a, double b) {
      multiply(block_, image_);
      by_rows([&](std::int64_t row, std::int64_t column) {
        const double value =
            a * (static_cast<double>(image_.row(row)[column]) - centre * static_cast<double>(block_.row(row)[column])) -
            b * static_cast<double>(before_.row(row)[column]);
        before_.row(row)[column] = block_.row(row)[column];
        block_.row(row)[column] = static_cast<float>(value);
      });
    };
    step(sigma / half, 0);
    for (int degree = 2; degree <= filter_degree; ++degree) {
      const double next = 1 / (2 / first - sigma);
      step(2 * next / half, sigma * next);
      sigma = next;
    }
    return true;
  }

  const ShardGraph& graph_;
  const RegularisedOptions& options_;
  Subspace space_;
  RowSet all_;
  HaloMatrix block_;
  HaloMatrix image_;
  HaloMatrix before_;
  HaloMatrix scaled_[2];
  int turn_ = 0;
  std::vector<float> scale_;  ///< sqrt(d / (d + t)) of owned rows: M = scale Ahat scale
};

}  // namespace

RegularisedSpectrum regularised_eigenvectors(const Communicator& comm, const ShardGraph& graph,
                                             const RegularisedOptions& options) {
  COHORT_CHECK(options.dim > 0);
  RegularisedSpectrum result;
  result.added = mean_degree(comm, graph);
  const auto columns = std::min(options.dim + oversampling, graph.users + graph.items);
  result.spectrum = ChebyshevIteration(comm, graph, options, result.added, columns).run();
  return result;
}

CommunityRows community_rows(const Communicator& comm, const ShardGraph& graph, const RegularisedSpectrum& found,
                             double power, int threads) {
  const auto& vectors = found.spectrum.vectors;
  const auto& values = found.spectrum.values;
  CommunityRows result;
  Propagation propagation(comm, graph, vectors.columns(), threads);
  auto base = propagation.matrix();
  comm.attempt([&] {
    result.base = Matrix(graph.owned(), vectors.columns());
    result.embedding = Matrix(graph.owned(), vectors.columns());
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const double scale = 2 * row_scale(graph.degree[row], found.added);
      for (std::int64_t j = 0; j < vectors.columns(); ++j) {
        const double value = values[j];
        const double weight = value > 0 ? scale * std::pow(value, power - 1) : 0;
        result.base.row(row)[j] = static_cast<float>(weight * static_cast<double>(vectors.row(row)[j]));
        base.row(row)[j] = result.base.row(row)[j];
      }
    }
  });
  propagation.over(base, propagation.all_rows(), [&](std::span<const LocalRow> rows, std::int64_t /*place*/) {
    spmm(propagation.entries(), rows, base.view(), {}, 0.5F, result.embedding.view());
  });
  comm.barrier();  // a neighbour may still read the rows
  return result;
}

}  // namespace cohort
