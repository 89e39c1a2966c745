// The embedding of a graph of users alone, without training: the leading eigenvectors of its regularised adjacency, as
// many as segments are looked for (model/regularised.hpp).
//
// Eigenvectors near the noise tell little, and rows of length 1 (spherical k-means) make much of them. So the columns
// are tried as they are and times the square of their values; the weighted ones are taken where the modularity of the
// segments found with them is higher by more than twice its standard error, which is that of the edges that lie inside
// a segment in one of the two and not in the other (McNemar 1947).
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// k-means' runs at least: many small communities have many optima that differ in a node or two, and a run costs
/// little.
inline constexpr std::int64_t community_restarts = 20;

struct CommunityOptions {
  SegmentConfig segment;
  bool spherical = true;
  std::uint64_t seed = 42;
  int threads = 1;
};

/// How many the embedding of so many users has. Local.
std::int64_t community_columns(const SegmentConfig& segment, std::int64_t users);

/// The embedding is Ahat base / 2 (model/regularised.hpp).
struct CommunityModel {
  Matrix base;       ///< owned x columns
  Matrix embedding;  ///< owned x columns
  bool weighted = false;
  double gain = 0;            ///< in modularity, of the weighted columns
  double standard_error = 0;  ///< of it
};

/// min(segment.count, 1,024) columns (community_columns). Where the number of segments is left to the data there are as
/// many as are tried at most, weighted, so that those beyond the segments that there are count little; the gain is then
/// 0. The graph has no items. Throws InputError where fewer users are different than segments are looked for. The same
/// bits at any number of ranks and threads. Collective.
CommunityModel community_model(const Communicator& comm, const ShardGraph& graph, const CommunityOptions& options);

}  // namespace cohort
