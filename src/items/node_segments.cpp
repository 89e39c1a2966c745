#include "items/node_segments.hpp"

#include <algorithm>

#include "comm/index_plan.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"

namespace cohort {

namespace {

// Weight by segment for one item after the other; only what an item touched is cleared.
class WeightBySegment {
 public:
  explicit WeightBySegment(std::int64_t count) : weight_(static_cast<std::size_t>(count), 0.0) {}

  void add(std::int32_t segment, float weight) {
    touched_.push_back(segment);
    weight_[segment] += static_cast<double>(weight);
  }
  /// The segment of most weight, -1 where nothing was added; starts anew.
  std::int32_t take_heaviest() {
    std::ranges::sort(touched_);
    std::int32_t heaviest = -1;
    double most = 0;
    for (const auto segment : touched_) {
      auto& weight = weight_[segment];
      if (weight > most) {
        most = weight;
        heaviest = segment;
      }
      weight = 0;
    }
    touched_.clear();
    return heaviest;
  }

 private:
  std::vector<double> weight_;
  std::vector<std::int32_t> touched_;
};

}  // namespace

std::vector<std::int32_t> node_segments(const Communicator& comm, const BlockGraph& graph, const Distribution& users,
                                        std::span<const std::int32_t> segment, std::int64_t count) {
  COHORT_CHECK(users.total() == graph.users && std::ssize(segment) == users.count(comm.rank()));
  const auto first = graph.distribution.begin(comm.rank());
  const auto own_users = std::clamp<std::int64_t>(graph.users - first, 0, graph.rows());
  const auto first_edge = graph.row_begin[own_users];
  // The users of this block, then the neighbours of its items.
  Distinct wanted;
  comm.attempt([&] {
    std::vector<std::int64_t> list;
    list.reserve(own_users + graph.row_begin.back() - first_edge);
    for (std::int64_t u = 0; u < own_users; ++u) list.push_back(first + u);
    for (auto e = static_cast<std::size_t>(first_edge); e < graph.column.size(); ++e) {
      COHORT_CHECK(graph.column[e].value < graph.users, "an item's neighbours are users");
      list.push_back(graph.column[e].value);
    }
    wanted = distinct_of(list);
  });
  const auto found = IndexPlan(comm, users, wanted.values).fetch(segment);
  std::vector<std::int32_t> result;
  comm.attempt([&] {
    std::size_t at = 0;
    const auto next = [&] { return found[wanted.place[at++]]; };
    for (std::int64_t u = 0; u < own_users; ++u) result.push_back(next());
    WeightBySegment weights(count);
    for (auto row = own_users; row < graph.rows(); ++row) {
      const auto r = static_cast<std::size_t>(row);
      for (const auto e : places_of(graph.row_begin, r)) {
        weights.add(next(), graph.weight[e]);
      }
      result.push_back(weights.take_heaviest());
    }
  });
  return result;
}

}  // namespace cohort
