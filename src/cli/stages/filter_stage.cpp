#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/output/logging.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/stage_memory.hpp"
#include "comm/reblock.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/ranking_memory.hpp"

namespace cohort {

namespace {

// A partition of users alone, with items spread over its shards in their order.
StoredPartition with_items(const Communicator& comm, const Dataset& dataset, const StoredPartition& partition) {
  const auto users = dataset.users.total();
  const auto items = dataset.items.total();
  const auto nodes = Distribution::even(users + items, comm.size());
  std::vector<std::int64_t> begin;
  for (int r = 0; r < comm.size(); ++r) begin.push_back(std::min(nodes.begin(r), users));
  begin.push_back(users);
  StoredPartition result;
  result.shard_of = reblock(comm, std::span<const std::int32_t>(partition.shard_of),
                            Distribution::even(users, comm.size()), Distribution(std::move(begin)));
  result.shard_cost = partition.shard_cost;
  const auto spread = Distribution::even(items, static_cast<int>(std::ssize(partition.shard_cost)));
  comm.attempt([&] {
    for (auto node = std::max(nodes.begin(comm.rank()), users); node < nodes.end(comm.rank()); ++node) {
      result.shard_of.push_back(spread.owner(node - users));
    }
  });
  return result;
}

}  // namespace

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
  auto sharded = shard_graph(
      comm, blocks, graph.dataset.users_alone ? with_items(comm, graph.dataset, *graph.partition) : *graph.partition);
  // How many ghosts there are is known only now.
  const auto sizes = stage_sizes(comm, sharded.graph);
  const FilterSizes filter{sizes.rows, sizes.rows.owned - sizes.users, sizes.entries,
                           stored_model(config, graph.dataset).dim};
  need_memory(comm, "filtering", filter_ranking_memory(filter).bytes, "recommend.strategy = \"personal\"");
  return filter_graph(comm, blocks, std::move(sharded.graph), config.graph);
}

bool filter_is_cheap(const Communicator& comm, const Dataset& dataset) {
  const auto users = dataset.users.total();
  const auto interactions = comm.sum(dataset.interactions.size());
  if (within_filter_limit(users, interactions)) return true;
  spdlog::info(
      "  filter and hybrid are left out: {} and {} make {:.2g} multiply-adds, more than {:g}; "
      "recommend.strategy = \"hybrid\" makes them all the same",
      counted(users, "user"), counted(interactions, "interaction"), filter_cost(users, interactions), filter_limit);
  return false;
}

}  // namespace cohort
