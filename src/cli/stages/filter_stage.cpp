#include <fmt/format.h>

#include <utility>

#include "cli/output/logging.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "recommend/filter_graph.hpp"

namespace cohort {

FilterGraph filter_graph_of(const Communicator& comm, const Config& config, const GraphFile& graph,
                            const PairTable& interactions) {
  if (!graph.partition) {
    throw InputError("graph.h5 has no partition, which the strategies filter and hybrid need; run `cohort partition` " +
                     std::string("first"));
  }
  Dataset dataset;
  comm.attempt([&] {
    dataset.users.distribution = graph.dataset.users.distribution;
    dataset.items.distribution = graph.dataset.items.distribution;
    dataset.interactions = interactions;
  });
  const auto blocks = bipartite_graph(comm, dataset, config.graph);
  dataset.interactions = {};
  auto sharded = shard_graph(comm, blocks, *graph.partition);
  return filter_graph(comm, blocks, std::move(sharded.graph), config.graph);
}

bool filter_is_cheap(const Communicator& comm, const Dataset& dataset) {
  const auto users = dataset.users.total();
  const auto interactions = comm.sum(dataset.interactions.size());
  const auto cost = filter_cost(users, interactions);
  if (cost <= filter_limit) return true;
  spdlog::info(
      "  filter and hybrid are left out: {} and {} make {:.2g} multiply-adds, more than {:g}; "
      "recommend.strategy = \"hybrid\" makes them all the same",
      counted(users, "user"), counted(interactions, "interaction"), cost, filter_limit);
  return false;
}

}  // namespace cohort
