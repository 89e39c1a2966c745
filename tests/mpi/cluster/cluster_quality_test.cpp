// Measures of clusterings against closed forms, dense serial computations, and constants from scikit-learn 1.9.1
// (silhouette_score, davies_bouldin_score, calinski_harabasz_score, adjusted_rand_score, normalized_mutual_info_score,
// in float64) and networkx 3.6.1 (community.modularity), made once from the same formulas as below.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cluster/agreement.hpp"
#include "cluster/quality.hpp"
#include "core/random.hpp"

namespace cohort {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Even blocks, and all on the last rank.
std::vector<Distribution> blocks_of(std::int64_t total, const Communicator& comm) {
  std::vector<std::int64_t> last(comm.size() + 1, 0);
  last.back() = total;
  return {Distribution::even(total, comm.size()), Distribution(last)};
}

template <class T>
std::span<const T> block(const std::vector<T>& all, const Distribution& blocks, int rank) {
  return std::span<const T>(all).subspan(blocks.begin(rank), blocks.count(rank));
}

struct Clustered {
  Matrix rows;
  std::vector<std::int32_t> cluster;
  std::int64_t count = 0;
};

ClusterQuality measured(const Communicator& comm, const Clustered& all, const Distribution& blocks,
                        std::uint64_t seed = 1) {
  const auto rank = comm.rank();
  return cluster_quality(comm,
                         {all.rows.view().slice(blocks.begin(rank), blocks.count(rank)),
                          block(all.cluster, blocks, rank), blocks, all.count},
                         seed);
}

/// 4 clusters of i mod 4, or 5 that have little to do with where points are.
Clustered formula_points(std::int64_t points, std::int64_t columns, bool other) {
  Clustered result{Matrix(points, columns), {}, other ? 7 : 4};  // clusters 5 and 6 are empty
  for (std::int64_t i = 0; i < points; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      result.rows.row(i)[j] =
          static_cast<float>((i * i * 7 + j * j * 3 + i * j * 5) % 23) / 4.0F + (i % 4 == j % 4 ? 6.0F : 0.0F);
    }
    result.cluster.push_back(static_cast<std::int32_t>(other ? (i * i + i / 3) % 5 : i % 4));
  }
  return result;
}

Clustered line(const std::vector<float>& values, const std::vector<std::int32_t>& cluster, std::int64_t count) {
  Clustered result{Matrix(std::ssize(values), 1), cluster, count};
  for (std::size_t i = 0; i < values.size(); ++i) result.rows.row(static_cast<std::int64_t>(i))[0] = values[i];
  return result;
}

TEST(ClusterQuality, IsThatOfScikitLearn) {
  const auto comm = Communicator::world();
  struct Case {
    std::int64_t points, columns;
    bool other;
    double silhouette, davies_bouldin, calinski_harabasz;
  };
  for (const auto& each : {Case{60, 10, false, 0.5129794282921857, 0.7161652805702958, 59.350450984264924},
                           Case{60, 10, true, -0.10194050480511202, 15.998375274797786, 0.16251334606087786},
                           Case{90, 33, false, 0.5176292824257821, 0.7356872054265787, 80.64235568514778},
                           Case{90, 33, true, -0.06840839485864998, 13.266885287978738, 0.26403642296376645}}) {
    for (const auto& blocks : blocks_of(each.points, comm)) {
      const auto found = measured(comm, formula_points(each.points, each.columns, each.other), blocks);
      EXPECT_NEAR(found.silhouette, each.silhouette, 1e-10);
      EXPECT_EQ(found.silhouette_points, each.points);
      EXPECT_NEAR(found.davies_bouldin, each.davies_bouldin, 1e-10 * each.davies_bouldin);
      EXPECT_NEAR(found.calinski_harabasz, each.calinski_harabasz, 1e-10 * each.calinski_harabasz);
    }
  }
}

TEST(ClusterQuality, HasTheBitsOfOneRankAlone) {
  const auto comm = Communicator::world();
  const auto self = Communicator::self();
  for (const bool other : {false, true}) {
    const auto all = formula_points(90, 33, other);
    const auto expected = measured(self, all, Distribution::even(90, 1));
    for (const auto& blocks : blocks_of(90, comm)) {
      const auto found = measured(comm, all, blocks);
      EXPECT_EQ(found.silhouette, expected.silhouette);
      EXPECT_EQ(found.davies_bouldin, expected.davies_bouldin);
      EXPECT_EQ(found.calinski_harabasz, expected.calinski_harabasz);
    }
  }
}

// Clusters {0, 2}, {10, 14} and {30}: centroids 1, 12, 30, mean distances 1, 2, 0.
TEST(ClusterQuality, ByHand) {
  const auto comm = Communicator::world();
  for (const auto& blocks : blocks_of(5, comm)) {
    const auto found = measured(comm, line({0, 2, 10, 14, 30}, {0, 0, 3, 3, 1}, 4), blocks);
    EXPECT_NEAR(found.davies_bouldin, (3.0 / 11 + 3.0 / 11 + 2.0 / 18) / 3, 1e-14);
    // Mean 11.2: between 2 * 10.2^2 + 2 * 0.8^2 + 18.8^2, within 1 + 1 + 4 + 4.
    EXPECT_NEAR(found.calinski_harabasz, (208.08 + 1.28 + 353.44) / 2 / (10.0 / 2), 1e-11);
    EXPECT_NEAR(found.silhouette, (10.0 / 12 + 8.0 / 10 + 5.0 / 9 + 9.0 / 13 + 0) / 5, 1e-14);
  }
}

TEST(ClusterQuality, WhatIsNotDefinedIsNaN) {
  const auto comm = Communicator::world();
  for (const auto& all : {line({1, 2, 3}, {1, 1, 1}, 2), line({1, 2, 3}, {0, 2, 1}, 3), line({}, {}, 2)}) {
    for (const auto& blocks : blocks_of(all.rows.rows(), comm)) {
      const auto found = measured(comm, all, blocks);
      EXPECT_TRUE(std::isnan(found.silhouette));
      EXPECT_TRUE(std::isnan(found.davies_bouldin));
      EXPECT_TRUE(std::isnan(found.calinski_harabasz));
    }
  }
  // All on their centroids, of which two coincide.
  const auto found = measured(comm, line({1, 1, 5, 5, 1}, {0, 0, 1, 1, 2}, 3), blocks_of(5, comm).front());
  EXPECT_EQ(found.calinski_harabasz, infinity);
  EXPECT_EQ(found.davies_bouldin, 0.0);
  auto bad = line({1, 2, 3}, {0, 1, 1}, 2);
  bad.rows.row(2)[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(measured(comm, bad, blocks_of(3, comm).front()), RunError);
}

// Values 0 to 9, so that a histogram of the sample gives every sum of distances.
TEST(ClusterQuality, SilhouetteOfManyPointsIsThatOfASeededSample) {
  const auto comm = Communicator::world();
  constexpr std::int64_t points = silhouette_exact + 500;
  std::vector<float> values;
  std::vector<std::int32_t> cluster;
  for (std::int64_t i = 0; i < points; ++i) {
    values.push_back(static_cast<float>((i * i + i / 7) % 10));
    cluster.push_back(values.back() < 4 || i % 50 == 0 ? 0 : 1);
  }
  const RandomPermutation shuffled(points, 5, Purpose::quality_sample, 0);
  std::array<std::array<double, 10>, 2> members{};
  for (std::uint64_t i = 0; i < silhouette_exact; ++i) {
    const auto point = shuffled(i);
    members[cluster[point]][values[point]] += 1;
  }
  double expected = 0;
  for (std::size_t own = 0; own < 2; ++own) {
    for (std::size_t value = 0; value < 10; ++value) {
      std::array<double, 2> sum{};
      std::array<double, 2> size{};
      for (std::size_t c = 0; c < 2; ++c) {
        for (std::size_t v = 0; v < 10; ++v) {
          sum[c] += members[c][v] * std::abs(static_cast<double>(v) - static_cast<double>(value));
          size[c] += members[c][v];
        }
      }
      const double a = sum[own] / (size[own] - 1);
      const double b = sum[1 - own] / size[1 - own];
      expected += members[own][value] * (b - a) / std::max(a, b) / silhouette_exact;
    }
  }
  const auto found = measured(comm, line(values, cluster, 2), blocks_of(points, comm).front(), 5);
  EXPECT_EQ(found.silhouette_points, silhouette_exact);
  EXPECT_NEAR(found.silhouette, expected, 1e-11);
}

struct Labels {
  std::vector<std::int32_t> cluster;
  std::vector<std::int32_t> category;
};

Agreement agreement_of(const Communicator& comm, const Labels& labels, const Distribution& blocks) {
  return agreement(comm, block(labels.cluster, blocks, comm.rank()), block(labels.category, blocks, comm.rank()));
}

TEST(Agreement, IsThatOfScikitLearn) {
  const auto comm = Communicator::world();
  std::array<Labels, 3> labels;
  for (std::int32_t i = 0; i < 500; ++i) {
    const auto a = (i * i + i / 3) % 5;
    const std::array<std::pair<std::int32_t, std::int32_t>, 3> pair{
        std::pair{a, (i * 7 + i / 50) % 7}, {i % 6, i % 3}, {a, (a + (i % 10 == 0 ? 1 : 0)) % 5}};
    for (std::size_t k = 0; k < 3; ++k) {
      labels[k].cluster.push_back(pair[k].first);
      labels[k].category.push_back(pair[k].second);
      if (i % 9 == 4) {  // do not count
        labels[k].cluster.push_back(i % 2 == 0 ? -1 : 3);
        labels[k].category.push_back(i % 2 == 0 ? 2 : -1);
      }
    }
  }
  const std::array<Agreement, 3> expected{Agreement{-0.007382359180405745, 0.0011543103743067871, 0.208, 500},
                                          Agreement{0.5689714387768718, 0.7601900190511645, 1.0, 500},
                                          Agreement{0.7785808362180294, 0.8213917851404112, 0.9, 500}};
  const auto self = Communicator::self();
  for (std::size_t k = 0; k < 3; ++k) {
    const auto total = std::ssize(labels[k].cluster);
    const auto alone = agreement_of(self, labels[k], Distribution::even(total, 1));
    for (const auto& blocks : blocks_of(total, comm)) {
      const auto found = agreement_of(comm, labels[k], blocks);
      EXPECT_NEAR(found.ari, expected[k].ari, 1e-13);
      EXPECT_NEAR(found.nmi, expected[k].nmi, 1e-13);
      EXPECT_EQ(found.purity, expected[k].purity);
      EXPECT_EQ(found.items, 500);
      EXPECT_EQ(found.ari, alone.ari);
      EXPECT_EQ(found.nmi, alone.nmi);
    }
  }
}

TEST(Agreement, AtItsEnds) {
  const auto comm = Communicator::world();
  const auto of = [&](const Labels& labels) {
    return agreement_of(comm, labels, blocks_of(std::ssize(labels.cluster), comm).front());
  };
  const auto check = [](const Agreement& found, double ari, double nmi, double purity) {
    EXPECT_EQ(found.ari, ari);
    EXPECT_NEAR(found.nmi, nmi, 1e-15);
    EXPECT_EQ(found.purity, purity);
  };
  check(of({{0, 0, 1, 2}, {7, 7, 0, 5}}), 1, 1, 1);  // renamed
  check(of({{3, 3, 3}, {0, 0, 0}}), 1, 1, 1);        // one class in both
  check(of({{0, 1, 2}, {2, 0, 1}}), 1, 1, 1);        // each on its own
  check(of({{0, 0, 0, 0}, {0, 0, 1, 1}}), 0, 0, 0.5);
  check(of({{0, 1, 2, 3}, {0, 0, 1, 1}}), 0, 2.0 / 3, 1);
  check(of({{4}, {4}}), 1, 1, 1);
  const auto none = of({{-1, 2, -1}, {0, -1, -1}});
  EXPECT_EQ(none.items, 0);
  EXPECT_TRUE(std::isnan(none.ari) && std::isnan(none.nmi) && std::isnan(none.purity));
}

struct Edges {
  std::int64_t nodes = 0;
  std::vector<std::vector<std::pair<std::int64_t, float>>> row;

  explicit Edges(std::int64_t count) : nodes(count), row(static_cast<std::size_t>(count)) {}
  void add(std::int64_t a, std::int64_t b, float weight) {
    row[a].emplace_back(b, weight);
    if (a != b) row[b].emplace_back(a, weight);
  }
  double modularity_at(const Communicator& comm, const std::vector<std::int32_t>& cluster,
                       const Distribution& blocks) const {
    std::vector<std::int64_t> begin{0};
    std::vector<std::int64_t> column;
    std::vector<float> weight;
    for (auto node = blocks.begin(comm.rank()); node < blocks.end(comm.rank()); ++node) {
      for (const auto& [other, w] : row[node]) {
        column.push_back(other);
        weight.push_back(w);
      }
      begin.push_back(std::ssize(column));
    }
    return modularity(comm, begin, column, weight, block(cluster, blocks, comm.rank()), blocks);
  }
  /// sum over all pairs of (A_ij - d_i d_j / 2m) / 2m where both are in one cluster, or are one node.
  double dense(const std::vector<std::int32_t>& cluster) const {
    std::vector<double> degree(row.size(), 0.0);
    double total = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (const auto& [other, w] : row[i]) degree[i] += static_cast<double>(w);
      total += degree[i];
    }
    double sum = 0;
    const auto together = [&](std::size_t i, std::size_t j) {
      return i == j || (cluster[i] >= 0 && cluster[i] == cluster[j]);
    };
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (const auto& [other, w] : row[i]) {
        if (together(i, static_cast<std::size_t>(other))) sum += static_cast<double>(w) / total;
      }
      for (std::size_t j = 0; j < row.size(); ++j) {
        if (together(i, j)) sum -= degree[i] * degree[j] / total / total;
      }
    }
    return sum;
  }
};

TEST(Modularity, IsThatOfNetworkxAndOfTheDenseSum) {
  const auto comm = Communicator::world();
  const auto self = Communicator::self();
  Edges edges(31);  // the last node is isolated
  for (std::int64_t u = 0; u < 30; ++u) {
    for (auto v = u + 1; v < 30; ++v) {
      if ((u * v + u + v) % 7 == 0 || (u % 3 == v % 3 && (u + v) % 4 == 0)) {
        edges.add(u, v, static_cast<float>(1 + (u + v) % 5));
      }
    }
  }
  std::vector<std::int32_t> all;
  std::vector<std::int32_t> some;  // in no cluster: 4, 9, 14, ..., some of them neighbours
  for (std::int32_t u = 0; u < 31; ++u) {
    all.push_back(u % 3);
    some.push_back(u % 5 == 4 ? -1 : u % 3);
  }
  for (const auto& [cluster, expected] : {std::pair{all, 0.1780274571409057}, {some, 0.10736971518338913}}) {
    const double alone = edges.modularity_at(self, cluster, Distribution::even(31, 1));
    EXPECT_NEAR(alone, expected, 1e-13);
    EXPECT_NEAR(edges.dense(cluster), expected, 1e-13);
    for (const auto& blocks : blocks_of(31, comm)) EXPECT_EQ(edges.modularity_at(comm, cluster, blocks), alone);
  }
}

TEST(Modularity, ByHand) {
  const auto comm = Communicator::world();
  // Two triangles, apart: 1 - 2 / 4. A loop at a node alone counts as inside.
  Edges triangles(7);
  for (const std::int64_t first : {0, 3}) {
    triangles.add(first, first + 1, 0.5F);
    triangles.add(first + 1, first + 2, 0.5F);
    triangles.add(first + 2, first, 0.5F);
  }
  const std::vector<std::int32_t> cluster{1, 1, 1, 0, 0, 0, -1};
  auto looped = triangles;
  looped.add(6, 6, 3.0F);
  for (const auto& blocks : blocks_of(7, comm)) {
    EXPECT_EQ(triangles.modularity_at(comm, cluster, blocks), 0.5);
    EXPECT_NEAR(looped.modularity_at(comm, cluster, blocks), 1 - 3.0 / 9, 1e-14);
    EXPECT_NEAR(looped.dense(cluster), 1 - 3.0 / 9, 1e-14);
    EXPECT_EQ(triangles.modularity_at(comm, std::vector<std::int32_t>(7, 0), blocks), 0.0);
    EXPECT_TRUE(std::isnan(Edges(7).modularity_at(comm, cluster, blocks)));
  }
}

}  // namespace
}  // namespace cohort
