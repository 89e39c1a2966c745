// Users compared with all of a pass: for each the most similar so far. Internal to the graph of users.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/index_plan.hpp"
#include "core/config.hpp"
#include "data/distinct.hpp"
#include "graph/behaviour.hpp"
#include "graph/edge_weights.hpp"

namespace cohort {

struct SimilarUser {
  double score;  ///< what orders a user's candidates: the square of the cosine times the user's own norm, or the count
  float weight;  ///< of the edge
  std::uint32_t user;
};

/// The users of one pass, in any order; the closer in norm those beside each other are, the faster.
struct ComparisonPass {
  std::span<const std::uint32_t> user;  ///< by place: its number
  std::span<const double> norm;         ///< by place: the sum of the squares of its row
  IndexPlan::Rows list;                 ///< by place of the wanted items: places, ascending
  std::vector<std::int32_t> bits;       ///< of the lists' weights; empty: all are 1
};

/// Of each user: the sum of the squares of its row.
std::vector<double> norms_of(const Behaviour& behaviour);

/// What two users share is summed up in an array over the pass's users, a tile after the other, so that it stays in the
/// second level of cache; where nothing has a weight it is counted in bytes, in pairs of them for users with more than
/// 255 items.
class PassComparison {
 public:
  /// items: the distinct ones of `behaviour`. self: of its users, whom each is not compared with. All must outlive it.
  PassComparison(const GraphConfig& options, const Behaviour& behaviour, const Distinct& items,
                 std::span<const std::int64_t> self);

  /// Compares all of this rank's users with those of a pass. Local, on all threads.
  void run(const ComparisonPass& pass);

  std::vector<std::vector<SimilarUser>> best;  ///< of each, the best first

 private:
  class Worker;

  bool cosine_;
  EdgeWeights of_count_;
  const Behaviour& behaviour_;
  const Distinct& items_;
  std::span<const std::int64_t> self_;
  std::vector<double> norm_;
  std::size_t count_;
};

}  // namespace cohort
