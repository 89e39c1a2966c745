#include "cli/stages/network_input.hpp"

#include "cli/stages/stage_memory.hpp"
#include "model/encoder_memory.hpp"

namespace cohort {

std::vector<ScaledTable> scaled_tables(const std::vector<FeatureTable>& tables,
                                       const std::vector<FeatureScaling>& scaling) {
  std::vector<ScaledTable> result;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto asked = scaling.size() == 1 ? scaling.front() : scaling.at(t);
    result.push_back({&tables[t], asked == FeatureScaling::automatic ? tables[t].usual : asked});
  }
  return result;
}

NodeFeatures network_input(const Communicator& comm, const InputConfig& input, const Dataset& dataset,
                           const ShardedGraph& sharded, int threads) {
  if (!dataset.user_features.empty() || !dataset.item_features.empty()) {
    const auto sizes = block_sizes(comm, dataset);
    need_memory(comm, "reading the features",
                making_features_bytes(sharded.graph.owned(), comm.sum(sizes.feature_entries) / comm.size(),
                                      comm.sum(sizes.largest_feature) / comm.size()),
                "fewer columns of features");
  }
  return node_features(comm, sharded, dataset.users.distribution,
                       scaled_tables(dataset.user_features, input.user_feature_scaling), dataset.items.distribution,
                       scaled_tables(dataset.item_features, input.item_feature_scaling), threads);
}

}  // namespace cohort
