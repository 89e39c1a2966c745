// The same as segment/assignment.hpp, bit for bit, for one user at a time in a process that stays and answers within a
// millisecond.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "assign/assignment.hpp"
#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "graph/edge_weights.hpp"
#include "kernels/scores.hpp"

namespace cohort {

/// What one user did: an item's id, and how often or how strongly.
struct NamedInteraction {
  std::string item;
  float weight = 1.0F;  ///< finite, at least 0
};

struct LiveAnswer {
  Placement placement;
  std::int64_t known = 0;
  std::int64_t unknown = 0;
  std::span<const ScoredItem> best;  ///< valid until the next answer
};

/// How one user is embedded by the items that the model knows (ascending) and the weights of their edges, for those who
/// have one at least; false: they tell nothing. embedding: of as many columns as the centroids.
using EmbedUser = std::function<bool(std::string_view user, std::span<const LocalRow> item,
                                     std::span<const float> weight, MatrixView embedding)>;

/// By fold-in. result: read by one rank alone, check_fold_in passed; must outlive what is returned. Local.
EmbedUser embed_by_fold_in(const SegmentsFile& result);

/// Answers one user after the other. Holds all items: their ids, and d floats of each three times.
class LiveAssigner {
 public:
  /// result: read by one rank alone, with items; must outlive the assigner. item_users: training users of all items.
  /// repeats: how an item that a user has several times counts, in the order in which they are given. Collective (of
  /// that one rank).
  LiveAssigner(const Communicator& comm, const SegmentsFile& result, std::span<const std::int64_t> item_users,
               EmbedUser embed, const GraphConfig& graph, const AssignOptions& options, Repeats repeats = Repeats::sum);

  /// Not for several threads at a time. Local.
  LiveAnswer answer(std::string_view user, std::span<const NamedInteraction> interactions);

 private:
  // Items of similar length (of the embedding), longest first over all blocks, by number within one.
  struct Block {
    std::vector<std::int64_t> number;  ///< ascending
    PackedRows rows;
    double longest = 0;
  };
  void merge(std::span<const NamedInteraction> interactions, LiveAnswer& answer);
  void rank(const float* embedding);

  const SegmentsFile& result_;
  EmbedUser embed_;
  EdgeWeights weights_;
  double min_weight_;
  bool drop_zero_;
  AssignOptions options_;
  Repeats repeats_;
  std::vector<ScoredItem> popular_;
  std::unordered_map<std::string_view, std::int32_t> item_number_;
  std::vector<Block> blocks_;
  // The user at hand.
  std::vector<LocalRow> item_;
  std::vector<std::int64_t> seen_;
  std::vector<float> weight_;
  Matrix embedding_;
  Matrix scores_;
  std::vector<ScoredItem> best_;
};

}  // namespace cohort
