#include <algorithm>
#include <cstring>

#include "assign/fold_in.hpp"
#include "cli/output/logging.hpp"
#include "cli/stages/pipeline.hpp"
#include "comm/reblock.hpp"
#include "core/stopwatch.hpp"
#include "graph/edge_weights.hpp"
#include "graph/node_route.hpp"
#include "model/lightgcn.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

// The interactions as the graph has them. Local.
PairTable interaction_edges(const PairTable& interactions, const GraphConfig& graph) {
  const EdgeWeights weights(graph);
  PairTable edges;
  for (std::int64_t u = 0; u < interactions.rows(); ++u) {
    const auto end = static_cast<std::size_t>(interactions.row_begin[u + 1]);
    for (auto k = static_cast<std::size_t>(interactions.row_begin[u]); k < end; ++k) {
      const auto weight = weights.interaction(interactions.weight[k]);
      if (weight == 0) continue;
      edges.other.push_back(interactions.other[k]);
      edges.weight.push_back(weight);
    }
    edges.row_begin.push_back(edges.size());
  }
  return edges;
}

// The mean of the layers below the last, of this rank's block of items: a multiple of what segment/fold_in.hpp calls S.
// Collective.
Matrix below_last_layer(const Session& session, const GraphFile& graph, const ShardGraph& sharded,
                        const ModelFile& model) {
  const auto& comm = session.comm();
  const auto& dataset = graph.dataset;
  const auto& config = session.config();
  const auto nodes = Distribution::even(dataset.users.total() + dataset.items.total(), comm.size());
  Propagation propagation(comm, sharded, with_width(config.model, nodes.total()).dim,
                          static_cast<int>(session.threads()));
  auto base = propagation.matrix();
  {
    const auto owned = to_shards(comm, sharded, model.model.parameters().view(), nodes);
    comm.attempt([&] {
      if (owned.rows() > 0) std::memcpy(base.row(0), owned.row(0), static_cast<std::size_t>(owned.bytes()));
    });
  }
  LightGcn encoder(comm, propagation, std::max<std::int64_t>(linear_form(config).layers - 1, 0));
  const auto below = to_blocks(comm, sharded, encoder.forward(base), nodes);
  return reblock(comm, below.view(), nodes, dataset.users.total(), dataset.items.distribution);
}

}  // namespace

std::optional<FoldInTable> fold_in_table(const Session& session, const GraphFile& graph, const ShardGraph& sharded,
                                         const ModelFile& model, const Segments& segments) {
  const auto& comm = session.comm();
  const auto& dataset = graph.dataset;
  if (!dataset.has_items() || is_network(encoder_of(session.config()))) return std::nullopt;
  const Stopwatch stopwatch;
  // Where items are no nodes, a new user is put among the users of what it has.
  const auto below =
      dataset.users_alone ? copy_of(segments.items.view()) : below_last_layer(session, graph, sharded, model);
  PairTable edges;
  comm.attempt([&] { edges = interaction_edges(dataset.interactions, session.config().graph); });
  auto table = make_fold_in(
      comm, {below.view(), segments.users.view(), &edges, &dataset.items.distribution, &dataset.users.distribution});
  spdlog::debug("segment: {:.1f} s for what new users are folded in with", stopwatch.seconds());
  return table;
}

}  // namespace cohort
