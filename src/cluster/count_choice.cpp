#include "cluster/count_choice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "cluster/agreement.hpp"
#include "cluster/checked_points.hpp"
#include "cluster/exact_assignment.hpp"
#include "cluster/levels.hpp"
#include "cluster/quality.hpp"
#include "core/eigen.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "kernels/distances.hpp"

namespace cohort {

namespace {

constexpr std::int64_t sampled_of_cluster = 64;
constexpr std::int64_t least_sample = 2'000;
constexpr std::int64_t most_sample = 20'000;
constexpr std::int64_t tasks = 16;   // shards of the sample, which threads share
constexpr double coarse = 1.2;       // from one candidate to the next
constexpr std::int64_t closer = 12;  // candidates between two that are farther apart
constexpr std::int64_t splits = 4;   // of the sample into halves
constexpr std::int64_t tenths = 15;  // of the way between two centres: from its middle to as far beyond one

// Of which -0 is 0, as for distances.
std::int64_t different_rows(Matrix& rows) {
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    for (float& value : rows.view().at(i)) value += 0.0F;
  }
  const auto bytes = static_cast<std::size_t>(rows.stride()) * sizeof(float);
  std::vector<std::int64_t> order(rows.rows());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order,
                    [&](std::int64_t a, std::int64_t b) { return std::memcmp(rows.row(a), rows.row(b), bytes) < 0; });
  std::int64_t different = order.empty() ? 0 : 1;
  for (std::size_t i = 1; i < order.size(); ++i) {
    different += std::memcmp(rows.row(order[i - 1]), rows.row(order[i]), bytes) != 0 ? 1 : 0;
  }
  return different;
}

// Points that all stand on every rank.
struct Sample {
  Matrix rows;
  std::int64_t different = 0;  // rows
  std::vector<NodeId> id;
  ShardLayout layout;

  PointSet set() const { return {rows.view(), id, layout.position_begin, &layout}; }
};

Sample sample_of(Matrix rows) {
  Sample sample;
  const auto count = rows.rows();
  sample.different = different_rows(rows);
  sample.rows = std::move(rows);
  for (std::int64_t i = 0; i < count; ++i) sample.id.push_back(NodeId{i});
  sample.layout.shards_of_rank = Distribution::even(tasks, 1);
  const auto begin = Distribution::even(count, static_cast<int>(tasks));
  for (std::int64_t shard = 0; shard <= tasks; ++shard) {
    sample.layout.position_begin.push_back(shard < tasks ? begin.begin(static_cast<int>(shard)) : count);
  }
  return sample;
}

// About `wanted` points, or all where there are fewer, in the order of their ids. Collective.
Matrix drawn_rows(const Communicator& comm, const CheckedPoints& population, std::int64_t wanted, std::uint64_t seed) {
  std::vector<PickedRow> picked;
  comm.attempt([&] {
    const CounterRandom random(seed, Purpose::count_sample);
    const double share = static_cast<double>(wanted) / static_cast<double>(population.total);
    for (std::size_t row = 0; row < population.points.id.size(); ++row) {
      const auto id = static_cast<std::uint64_t>(population.points.id[row].value);
      if (random.uniform(id) < share) picked.push_back({static_cast<std::int64_t>(row), 0});
    }
  });
  return gather_rows(comm, population.points, picked).rows;
}

// As many points without clusters: normal, of the mean and the covariance of `rows`; of length 1 if `unit`.
Matrix structureless(const Matrix& rows, bool unit, std::uint64_t seed) {
  const auto columns = rows.columns();
  Eigen::MatrixXd centred(rows.rows(), columns);
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    for (std::int64_t e = 0; e < columns; ++e) centred(i, e) = static_cast<double>(rows.row(i)[e]);
  }
  const Eigen::RowVectorXd mean = centred.colwise().mean();
  centred.rowwise() -= mean;
  const Eigen::MatrixXd covariance = centred.transpose() * centred / static_cast<double>(rows.rows());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  if (solver.info() != Eigen::Success) {
    throw RunError("the number of segments cannot be chosen: the eigenvalues of the embeddings' covariance do not " +
                   std::string("converge; set segment.count"));
  }
  const Eigen::MatrixXd spread = solver.eigenvectors() * solver.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal();
  const CounterRandom random(seed, Purpose::count_reference);
  Matrix result(rows.rows(), columns);
  Eigen::VectorXd normal(columns);
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    for (std::int64_t e = 0; e < columns; e += 2) {
      const auto pair = random.normal(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(e));
      normal[e] = pair[0];
      if (e + 1 < columns) normal[e + 1] = pair[1];
    }
    Eigen::VectorXd point = spread * normal + mean.transpose();
    if (unit && point.norm() > 0) point /= point.norm();
    for (std::int64_t e = 0; e < columns; ++e) result.row(i)[e] = static_cast<float>(point[e]);
  }
  return result;
}

// Points in two halves that have none in common.
struct Halves {
  Sample first;
  Sample second;
};

Sample some_of(const Sample& sample, std::span<const std::int64_t> rows) {
  Matrix some(std::ssize(rows), sample.rows.columns());
  for (std::int64_t i = 0; i < some.rows(); ++i) std::copy_n(sample.rows.row(rows[i]), some.stride(), some.row(i));
  return sample_of(std::move(some));
}

// By chance, another way for each `split`.
Halves halves_of(const Sample& sample, std::uint64_t seed, std::uint32_t split) {
  const CounterRandom random(seed, Purpose::count_sample);
  std::vector<std::uint64_t> key;
  std::vector<std::int64_t> order(sample.rows.rows());
  std::iota(order.begin(), order.end(), 0);
  // Counter 0 drew the sample.
  for (const auto row : order) key.push_back(random.bits(static_cast<std::uint64_t>(row), split + 1));
  std::ranges::stable_sort(order, {}, [&](std::int64_t row) { return key[row]; });
  const std::span<const std::int64_t> all(order);
  const auto half = all.size() / 2;
  return {some_of(sample, all.first(half)), some_of(sample, all.subspan(half))};
}

// The better of k-means as it starts by itself and from twice as many clusters put together (levels.hpp). Of dozens of
// clusters every drawn start has some twice and others not at all, so that the silhouette would peak too early.
KmeansResult well_clustered(const Communicator& self, const Sample& sample, const KmeansOptions& options) {
  const auto points = sample.set();
  auto found = kmeans(self, points, options);
  auto finer = options;
  finer.count = std::min(2 * options.count, sample.different);
  if (finer.count <= options.count) return found;
  const std::array counts{options.count};
  const auto level = nest_segments(self, points, options.spherical, kmeans(self, points, finer), counts);
  auto with = options;
  with.start = level.front().centroid.view();
  auto other = kmeans(self, points, with);
  return other.inertia.back() < found.inertia.back() ? std::move(other) : std::move(found);
}

// From one processor's point of view.
double silhouette_of(const Communicator& self, const Sample& sample, const KmeansOptions& options) {
  const auto found = well_clustered(self, sample, options);
  const auto blocks = Distribution::even(sample.rows.rows(), 1);
  return cluster_quality(self, {sample.rows.view(), found.segment, blocks, options.count}, options.seed).silhouette;
}

struct Measured {
  std::int64_t task = 0;
  double value = 0;
};

// Silhouettes of both for each count, every rank measuring some. Collective.
std::vector<CountCandidate> measure(const Communicator& comm, const Communicator& self, const Sample& points,
                                    const Sample& reference, KmeansOptions options,
                                    const std::vector<std::int64_t>& counts) {
  std::vector<Measured> mine;
  comm.attempt([&] {
    for (auto task = static_cast<std::int64_t>(comm.rank()); task < 2 * std::ssize(counts); task += comm.size()) {
      options.count = counts[task / 2];
      mine.push_back({task, silhouette_of(self, task % 2 == 0 ? points : reference, options)});
    }
  });
  std::vector<CountCandidate> result(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) result[i].count = counts[i];
  for (const auto& one : comm.all_gather(std::span<const Measured>(mine)).data) {
    auto& candidate = result[one.task / 2];
    (one.task % 2 == 0 ? candidate.silhouette : candidate.reference) = one.value;
  }
  return result;
}

// HalvesAgree::valley of these points and centres of others.
double valley_of(const Sample& points, ConstMatrixView centres) {
  std::vector<std::int64_t> in_tenth(tenths, 0);  // of the way from half-way back to the centre and beyond
  for (std::int64_t row = 0; row < points.rows.rows(); ++row) {
    double nearest = std::numeric_limits<double>::infinity();
    double second = nearest;
    std::int64_t own = 0;
    std::int64_t other = 0;
    for (std::int64_t c = 0; c < centres.rows; ++c) {
      const double distance = squared_distance(points.rows.row(row), centres.row(c), centres.stride);
      if (distance < nearest) {
        second = std::exchange(nearest, distance);
        other = std::exchange(own, c);
      } else if (distance < second) {
        second = distance;
        other = c;
      }
    }
    const double apart = squared_distance(centres.row(own), centres.row(other), centres.stride);
    const double from_middle = (second - nearest) / (2 * apart);
    if (10 * from_middle < tenths) ++in_tenth[static_cast<std::size_t>(10 * from_middle)];
  }
  const auto most = *std::ranges::max_element(in_tenth);
  return most == 0 ? 1.0 : static_cast<double>(in_tenth.front()) / static_cast<double>(most);
}

// Of one way to halve the points. A half without as many different points as clusters finds none.
HalvesAgree halves_agree(const Communicator& self, const Sample& points, std::uint32_t split,
                         const KmeansOptions& options) {
  const auto halves = halves_of(points, options.seed, split);
  if (std::min(halves.first.different, halves.second.different) < options.count) return {};
  const auto first = well_clustered(self, halves.first, options).centroid;
  const auto second = well_clustered(self, halves.second, options).centroid;
  const auto all = points.set();
  return {
      agreement(self, assign_exactly(self, all, first.view()).nearest, assign_exactly(self, all, second.view()).nearest)
          .ari,
      (valley_of(halves.second, first.view()) + valley_of(halves.first, second.view())) / 2};
}

struct MeasuredHalves {
  std::int64_t task = 0;
  HalvesAgree found;
};

// What halves of points and reference find, options.count clusters each; every rank halves some. Collective.
void compare_halves(const Communicator& comm, const Communicator& self, const Sample& points, const Sample& reference,
                    const KmeansOptions& options, CountChoice& choice) {
  std::vector<MeasuredHalves> mine;
  comm.attempt([&] {
    for (std::int64_t task = comm.rank(); task < 2 * splits; task += comm.size()) {
      const auto& sample = task % 2 == 0 ? points : reference;
      mine.push_back({task, halves_agree(self, sample, static_cast<std::uint32_t>(task / 2), options)});
    }
  });
  std::vector<HalvesAgree> found(2 * splits);
  for (const auto& one : comm.all_gather(std::span<const MeasuredHalves>(mine)).data) found[one.task] = one.found;
  choice.halves.valley = choice.reference_halves.valley = 0;
  for (std::size_t task = 0; task < found.size(); ++task) {
    auto& sum = task % 2 == 0 ? choice.halves : choice.reference_halves;
    sum.stability += found[task].stability / splits;
    sum.valley += found[task].valley / splits;
  }
}

std::vector<std::int64_t> coarse_counts(std::int64_t least, std::int64_t most) {
  std::vector<std::int64_t> counts;
  for (auto count = least; count < most;
       count = std::max(count + 1, static_cast<std::int64_t>(std::ceil(static_cast<double>(count) * coarse)))) {
    counts.push_back(count);
  }
  counts.push_back(most);
  return counts;
}

std::size_t best_of(const std::vector<CountCandidate>& tried) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < tried.size(); ++i) {
    if (tried[i].excess() > tried[best].excess()) best = i;
  }
  return best;
}

// Between the best one and its neighbours; none where they are next to each other.
std::vector<std::int64_t> counts_near(const std::vector<CountCandidate>& tried, std::size_t best) {
  std::vector<std::int64_t> counts;
  const auto between = [&](std::int64_t low, std::int64_t high) {
    const auto step = std::max<std::int64_t>(1, (high - low) / closer);
    for (auto count = low + step; count < high; count += step) counts.push_back(count);
  };
  if (best > 0) between(tried[best - 1].count, tried[best].count);
  if (best + 1 < tried.size()) between(tried[best].count, tried[best + 1].count);
  return counts;
}

}  // namespace

std::int64_t most_clusters(std::int64_t most, std::int64_t points) {
  return std::min(most, points / points_of_cluster);
}

CountChoice choose_count(const Communicator& comm, const PointSet& points, const KmeansOptions& options,
                         std::int64_t least, std::int64_t most) {
  COHORT_CHECK(least >= 2 && least <= most);
  auto population = checked_points(comm, points);
  std::optional<UnitPoints> unit;
  if (options.spherical) {
    comm.attempt([&] { unit.emplace(points); });
    population = {unit->set(*points.layout), comm.sum(unit->rows.rows()), 1.0};
  }
  CountChoice choice;
  if (population.total == 0) return choice;
  const auto wanted = std::clamp(sampled_of_cluster * most, least_sample, most_sample);
  auto rows = drawn_rows(comm, population, std::min(wanted, population.total), options.seed);
  choice.points = rows.rows();
  Sample sample;
  Sample reference;
  comm.attempt([&] {
    sample = sample_of(std::move(rows));
    most = std::min({most_clusters(most, choice.points), sample.different, choice.points - 1});
    if (most < least) return;
    reference = sample_of(structureless(sample.rows, options.spherical, options.seed));
  });
  if (most < least) return choice;
  const auto self = Communicator::self();
  auto with = options;
  with.start = {};
  for (auto counts = coarse_counts(least, most); !counts.empty();) {
    comm.stop_if_interrupted();
    const auto measured = measure(comm, self, sample, reference, with, counts);
    choice.tried.insert(choice.tried.end(), measured.begin(), measured.end());
    std::ranges::sort(choice.tried, {}, &CountCandidate::count);
    counts = counts_near(choice.tried, best_of(choice.tried));
  }
  choice.best = best_of(choice.tried);
  with.count = choice.tried[choice.best].count;
  compare_halves(comm, self, sample, reference, with, choice);
  const bool above = choice.tried[choice.best].excess() >= least_excess;
  if (above && choice.is_stable() && choice.has_gaps()) choice.count = with.count;
  return choice;
}

}  // namespace cohort
