#include "cli/stages/trained_network.hpp"

#include <cstring>

#include "core/error.hpp"
#include "graph/node_route.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

NetworkOptions options_of(const Config& config) {
  const auto& model = config.model;
  return {model.encoder, model.widths, model.activation, static_cast<int>(model.smoothings),
          static_cast<std::uint64_t>(config.train.seed)};
}

}  // namespace

TrainedNetwork::TrainedNetwork(const Communicator& comm, const Config& config, const GraphFile& graph,
                               const ShardedGraph& sharded, const ModelFile& model, int threads)
    : propagation_(comm, sharded.graph, with_width(config.model, sharded.graph.users + sharded.graph.items).dim,
                   threads),
      features(network_input(comm, config.input, graph.dataset, sharded, threads)),
      network(comm, propagation_, options_of(config), features.input()),
      base(propagation_.matrix()) {
  const auto& state = model.model.state;
  comm.attempt([&] {
    for (auto& weight : network.weights()) {
      const auto saved = state.replicated.find(weight.name);
      if (saved == state.replicated.end() || saved->second.rows() != weight.value.rows() ||
          saved->second.columns() != weight.value.columns()) {
        throw InputError("the model lacks the matrix \"" + weight.name + "\" of the network, or has another in its " +
                         "place: model.h5 and graph.h5 are not of the same run; run `cohort run` again");
      }
      weight.value = copy_of(saved->second.view());
    }
  });
  if (!state.rows.contains(layer_zero_rows)) return;
  const auto nodes = Distribution::even(graph.dataset.nodes(), comm.size());
  const auto owned = to_shards(comm, sharded.graph, model.model.parameters().view(), nodes);
  comm.attempt([&] {
    COHORT_CHECK(owned.columns() == propagation_.columns());
    if (owned.rows() > 0) std::memcpy(base.row(0), owned.row(0), static_cast<std::size_t>(owned.bytes()));
  });
}

}  // namespace cohort
