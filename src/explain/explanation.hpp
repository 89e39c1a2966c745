// Why a user is in its segment, for `explain`. LightGCN is linear: with L layers a user's embedding is
//
//   e_u = 1/(L+1) (E_u + sum over neighbours j of Ahat_uj S_j),   S = sum over l < L of Ahat^l E
//
// (He et al. 2020, eq. 7 and 8), so how much nearer u is to its centroid c than to the runner-up's c' is a sum over u's
// neighbours:
//
//   |e_u - c'|^2 - |e_u - c|^2 = 2 e_u.(c - c') + |c'|^2 - |c|^2,   of which j gives Ahat_uj S_j.2(c - c') / (L+1).
//
// With spherical segments the difference is that of the cosines, e_u.(c - c') / |e_u|, and |e_u| is taken as it is.
// These contributions are exact (float64, from the model's parameters). What would move the user is of first order: a
// contribution goes or comes, while degrees, and what other nodes pass on, stay as they are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "graph/block_graph.hpp"
#include "graph/shard_graph.hpp"
#include "result/segments.hpp"

namespace cohort {

struct ExplainInput {
  const ShardedGraph* sharded;
  ConstMatrixView parameters;      ///< owned x d: layer 0, in the order of the owned rows
  std::span<const double> degree;  ///< of owned rows: sum of edge weights
  const SegmentsFile* result;
  std::int64_t layers = 3;
  bool own_rows = true;  ///< whether E_u is part of e_u
  bool spherical = false;
  double new_weight = 1;  ///< edge weight of a new interaction of weight 1
};

struct Contribution {
  NodeId node;       ///< an item or a friend
  double value = 0;  ///< to the difference: above 0 it speaks for the user's segment, below for the runner-up
};

/// difference = own + constant + the contributions' values + rounding.
struct UserExplanation {
  NodeId user;
  std::int32_t segment = 0;
  std::int32_t runner_up = 0;
  double distance = 0;  ///< squared Euclidean, or 1 - cosine
  double runner_up_distance = 0;
  double difference = 0;                    ///< runner_up_distance - distance, of the stored embedding
  double own = 0;                           ///< of the user's own row of layer 0
  double constant = 0;                      ///< |c'|^2 - |c|^2; 0 if spherical
  double rounding = 0;                      ///< what the stored embedding differs by, being float32
  std::vector<Contribution> contributions;  ///< of all neighbours, largest first, ties to the smaller node
  /// The fewest of the largest contributions whose loss makes the difference 0 or less; -1: not even all of them.
  std::int64_t removals = -1;
  /// New items that would speak most for the runner-up (value below 0), best first; at most added_items.
  std::vector<Contribution> additions;
  std::int64_t additions_needed = -1;  ///< how many of the first that takes; -1: more than are listed
};
inline constexpr std::int64_t added_items = 100;

/// user: its number. Needs two segments at least; throws InputError otherwise. The same on all ranks. Collective.
UserExplanation explain_user(const Communicator& comm, const ExplainInput& input, std::int64_t user);

struct ItemContribution {
  NodeId node;
  double value = 0;        ///< mean over the segment's users
  std::int64_t users = 0;  ///< of the segment, that have it
};

struct RunnerUp {
  std::int32_t segment = 0;
  std::int64_t users = 0;
};

/// Means over the segment's users, each against its own runner-up: difference = own + constant + items + friends +
/// rounding.
struct SegmentExplanation {
  std::int32_t segment = 0;
  std::int64_t users = 0;
  std::vector<RunnerUp> runner_ups;  ///< most users first
  double difference = 0;
  double own = 0;
  double constant = 0;
  double items = 0;    ///< all items together
  double friends = 0;  ///< all friends together
  double rounding = 0;
  std::vector<ItemContribution> top;  ///< the items of largest contribution, at most listed_items
};
inline constexpr std::int64_t listed_items = 20;

/// Needs two segments at least, and a segment with users; throws InputError otherwise. Collective.
SegmentExplanation explain_segment(const Communicator& comm, const ExplainInput& input, std::int32_t segment);

}  // namespace cohort
