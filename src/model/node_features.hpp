// Features of users and items as a network reads them: scaled, file beside file, at the ranks that own the nodes. The
// first layer's weights times rows of several files beside each other are the files' projections, summed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"
#include "model/encoder.hpp"
#include "model/feature_scaling.hpp"

namespace cohort {

struct ScaledTable {
  const FeatureTable* table;
  /// none; sum: rows have the sum of magnitudes 1; length: rows have length 1; columns: mean 0 and deviation 1 over the
  /// nodes that have a row, of sparse files deviation 1 alone, since they would be sparse no longer.
  FeatureScaling scaling;
};

/// Where one file stands among the columns, for nodes that come later.
struct FeatureColumns {
  std::int64_t first = 0;
  std::int64_t columns = 0;
  FeatureScale scale;
  std::int64_t stand_in = -1;  ///< column of nodes that have nothing in the file; -1: all of them have something
};

/// Of the owned rows. Columns are those of the users' files, then of the items'; then one for users and each of their
/// files, and the same for items, wherever a node has nothing in a file (or its kind has no files): 1 for such nodes,
/// so that a row of weights is learned for them.
struct NodeFeatures {
  std::vector<std::int64_t> row_begin;
  std::vector<LocalRow> column;
  std::vector<float> value;
  std::int64_t columns = 0;  ///< 0: no files
  std::int64_t stand_ins = 0;
  std::vector<FeatureColumns> user_files;  ///< the same on all ranks, as below
  std::int64_t users_stand_in = -1;        ///< column of all users where they have no files; -1: they have

  /// Views of it.
  InputFeatures input() const { return {{row_begin, column, value}, columns, stand_ins}; }
};

/// Sums over nodes go by shard: the same bits on any number of ranks. Throws RunError where the memory is not there,
/// InputError where there are 2^31 columns or more. Collective.
NodeFeatures node_features(const Communicator& comm, const ShardedGraph& graph, const Distribution& users,
                           const std::vector<ScaledTable>& user_tables, const Distribution& items,
                           const std::vector<ScaledTable>& item_tables, int threads);

}  // namespace cohort
