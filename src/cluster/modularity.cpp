#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/fixed_sums.hpp"
#include "cluster/quality.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

// The clusters of nodes that other ranks own: asked of the owners once each.
class RemoteClusters {
 public:
  RemoteClusters(const Communicator& comm, std::span<const std::int64_t> column, std::span<const std::int32_t> cluster,
                 const Distribution& blocks) {
    const auto first = blocks.begin(comm.rank());
    const auto end = blocks.end(comm.rank());
    std::vector<std::int64_t> begin;
    comm.attempt([&] {
      std::ranges::copy_if(column, std::back_inserter(node_), [&](auto node) { return node < first || node >= end; });
      std::ranges::sort(node_);
      node_.erase(std::unique(node_.begin(), node_.end()), node_.end());
      for (int r = 0; r < comm.size(); ++r) {
        begin.push_back(std::ranges::lower_bound(node_, blocks.begin(r)) - node_.begin());
      }
      begin.push_back(std::ssize(node_));
    });
    const auto asked = comm.exchange(std::span<const std::int64_t>(node_), std::span<const std::int64_t>(begin));
    std::vector<std::int32_t> answer;
    comm.attempt([&] {
      for (const auto node : asked.data) answer.push_back(cluster[node - first]);
    });
    cluster_ = comm.exchange(std::span<const std::int32_t>(answer), std::span<const std::int64_t>(asked.begin)).data;
  }
  std::int32_t of(std::int64_t node) const { return cluster_[std::ranges::lower_bound(node_, node) - node_.begin()]; }

 private:
  std::vector<std::int64_t> node_;  // ascending
  std::vector<std::int32_t> cluster_;
};

}  // namespace

double modularity(const Communicator& comm, std::span<const std::int64_t> row_begin,
                  std::span<const std::int64_t> column, std::span<const float> weight,
                  std::span<const std::int32_t> cluster, const Distribution& blocks) {
  const auto first = blocks.begin(comm.rank());
  comm.attempt([&] {
    COHORT_CHECK(std::ssize(cluster) == blocks.count(comm.rank()));
    COHORT_CHECK(row_begin.size() == cluster.size() + 1 && row_begin.back() == std::ssize(column));
    COHORT_CHECK(column.size() == weight.size());
    COHORT_CHECK(std::ranges::all_of(column, [&](auto node) { return node >= 0 && node < blocks.total(); }));
  });
  const RemoteClusters remote(comm, column, cluster, blocks);
  std::int32_t last = -1;
  for (const auto c : cluster) last = std::max(last, c);
  const auto count = static_cast<std::int64_t>(comm.max(last)) + 1;
  double largest = 0;
  for (const float w : weight) largest = std::max(largest, std::abs(static_cast<double>(w)));
  const auto fixed_point = FixedPoint::for_sum(comm.sum(static_cast<std::int64_t>(weight.size())), comm.max(largest));

  // Degrees of the clusters, then all weight, then the weight inside clusters.
  std::vector<std::int64_t> sums;
  std::vector<std::int64_t> alone;  // degrees of nodes in no cluster
  comm.attempt([&] {
    sums.assign(count + 2, 0);
    auto& total = sums[count];
    auto& inside = sums.back();
    for (std::size_t row = 0; row < cluster.size(); ++row) {
      const auto node = first + static_cast<std::int64_t>(row);
      std::int64_t degree = 0;
      for (const auto k : places_of(row_begin, row)) {
        const auto entry = fixed_point.fixed(static_cast<double>(weight[k]));
        degree += entry;
        const auto other = column[k] - first;
        const bool own = other >= 0 && other < std::ssize(cluster);
        const auto neighbour = own ? cluster[other] : remote.of(column[k]);
        if (column[k] == node || (cluster[row] >= 0 && neighbour == cluster[row])) inside += entry;
      }
      total += degree;
      if (cluster[row] >= 0)
        sums[cluster[row]] += degree;
      else
        alone.push_back(degree);
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(sums));
  const auto total = static_cast<double>(sums[count]);
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> squares;
  comm.attempt([&] {
    for (const auto degree : alone) squares.push_back(std::pow(static_cast<double>(degree) / total, 2));
  });
  const std::vector<std::int32_t> together(squares.size(), 0);
  double expected = grouped_sums(comm, squares, together, 1).front();
  for (std::int64_t c = 0; c < count; ++c) {
    const double share = static_cast<double>(sums[c]) / total;
    expected += share * share;
  }
  return static_cast<double>(sums.back()) / total - expected;
}

}  // namespace cohort
