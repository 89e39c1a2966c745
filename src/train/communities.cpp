#include "train/communities.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "cluster/count_choice.hpp"
#include "cluster/fixed_sums.hpp"
#include "cluster/kmeans.hpp"
#include "comm/shard_sum.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "graph/ghosts.hpp"
#include "model/regularised.hpp"

namespace cohort {

namespace {

constexpr std::int64_t most_columns = 1024;
constexpr double weighted_power = 2;

std::vector<std::int32_t> segments_by(const Communicator& comm, const ShardGraph& graph, const Matrix& embedding,
                                      const CommunityOptions& options) {
  std::vector<std::int64_t> begin;
  for (std::int32_t k = 0; k <= graph.layout.shards_of_rank.count(comm.rank()); ++k) {
    begin.push_back(graph.shard_first_row(comm.rank(), k));
  }
  KmeansOptions kmeans_options;
  kmeans_options.count = options.segment.count;
  kmeans_options.spherical = options.spherical;
  kmeans_options.restarts = std::max(options.segment.restarts, community_restarts);
  kmeans_options.max_iterations = options.segment.max_iterations;
  kmeans_options.tolerance = options.segment.tolerance;
  kmeans_options.seed = options.seed;
  const auto nodes = std::span<const NodeId>(graph.node).first(graph.owned());
  return kmeans(comm, {embedding.view(), nodes, begin, &graph.layout}, kmeans_options).segment;
}

// The share of the edges' weight that degrees alone would put inside segments.
double expected_inside(const Communicator& comm, const ShardGraph& graph, const std::vector<std::int32_t>& segment,
                       std::int64_t count, double total) {
  double sum = 0;
  for (const double degree : grouped_sums(comm, graph.degree, segment, count)) sum += degree / total * (degree / total);
  return sum;
}

struct ModularityGain {
  double value = 0;
  double standard_error = 0;
};

// Of the modularity of `second` over that of `first`.
ModularityGain modularity_gain(const Communicator& comm, const ShardGraph& graph,
                               const std::vector<std::int32_t>& first, const std::vector<std::int32_t>& second,
                               std::int64_t count) {
  struct Node {
    double degree;
    std::int32_t first;
    std::int32_t second;
  };
  std::vector<Node> node;
  comm.attempt([&] {
    node.resize(graph.local_rows());
    for (std::size_t row = 0; row < first.size(); ++row) node[row] = {graph.degree[row], first[row], second[row]};
  });
  fill_ghosts(comm, graph, 1, std::span<Node>(node));
  enum { total, more, squares, parts };
  std::vector<double> partials;
  comm.attempt([&] {
    const auto& adjacency = graph.adjacency;
    for (std::int32_t k = 0; k < graph.layout.shards_of_rank.count(comm.rank()); ++k) {
      double sums[parts] = {};
      const auto end = graph.shard_first_row(comm.rank(), k + 1);
      for (auto row = graph.shard_first_row(comm.rank(), k); row < end; ++row) {
        const auto& own = node[row];
        sums[total] += own.degree;
        for (const auto e : places_of(adjacency.row_begin, static_cast<std::size_t>(row))) {
          const auto& other = node[adjacency.column[e].value];
          const int difference = (own.second == other.second ? 1 : 0) - (own.first == other.first ? 1 : 0);
          if (difference == 0) continue;
          const double weight = static_cast<double>(adjacency.value[e]) * std::sqrt(own.degree * other.degree);
          sums[more] += difference * weight;
          sums[squares] += weight * weight;
        }
      }
      partials.insert(partials.end(), std::begin(sums), std::end(sums));
    }
  });
  const auto sums = shard_sum(comm, graph.layout, partials, parts);
  if (sums[total] == 0) return {};
  const double expected = expected_inside(comm, graph, second, count, sums[total]) -
                          expected_inside(comm, graph, first, count, sums[total]);
  // Every edge stands in two rows.
  return {sums[more] / sums[total] - expected, std::sqrt(sums[squares] / 2) / (sums[total] / 2)};
}

}  // namespace

std::int64_t community_columns(const SegmentConfig& segment, std::int64_t users) {
  const auto columns = segment.count == automatic_count
                           ? std::max<std::int64_t>(2, most_clusters(segment.count_max, users))
                           : segment.count;
  return std::min(columns, most_columns);
}

CommunityModel community_model(const Communicator& comm, const ShardGraph& graph, const CommunityOptions& options) {
  COHORT_CHECK(graph.items == 0);
  RegularisedOptions spectral;
  const bool automatic = options.segment.count == automatic_count;
  spectral.dim = community_columns(options.segment, graph.positions.total());
  spectral.seed = options.seed;
  spectral.threads = options.threads;
  const auto found = regularised_eigenvectors(comm, graph, spectral);
  auto plain = community_rows(comm, graph, found, 0, options.threads);
  auto weighted = community_rows(comm, graph, found, weighted_power, options.threads);
  CommunityModel model;
  if (automatic) {
    model.weighted = true;
    model.base = std::move(weighted.base);
    model.embedding = std::move(weighted.embedding);
    return model;
  }
  const auto gain = modularity_gain(comm, graph, segments_by(comm, graph, plain.embedding, options),
                                    segments_by(comm, graph, weighted.embedding, options), options.segment.count);
  model.gain = gain.value;
  model.standard_error = gain.standard_error;
  model.weighted = gain.value > 2 * gain.standard_error;
  auto& taken = model.weighted ? weighted : plain;
  model.base = std::move(taken.base);
  model.embedding = std::move(taken.embedding);
  return model;
}

}  // namespace cohort
