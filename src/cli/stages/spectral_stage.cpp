#include <fmt/format.h>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/checkpoints.hpp"
#include "cli/stages/pipeline.hpp"
#include "comm/reblock.hpp"
#include "core/memory.hpp"
#include "core/stopwatch.hpp"
#include "graph/node_route.hpp"
#include "model/spectral.hpp"
#include "recommend/blend.hpp"
#include "recommend/held_back_ranking.hpp"
#include "recommend/user_means.hpp"
#include "train/choices.hpp"
#include "train/communities.hpp"

namespace cohort {

namespace {

SpectralRows of_communities(const Session& session, const ShardGraph& graph) {
  const auto& config = session.config();
  CommunityOptions options;
  options.segment = config.segment;
  options.spherical = by_direction(config);
  options.seed = static_cast<std::uint64_t>(config.train.seed);
  options.threads = static_cast<int>(session.threads());
  auto found = community_model(session.comm(), graph, options);
  if (config.segment.count == automatic_count) return {std::move(found.base), std::move(found.embedding)};
  spdlog::info("  columns {}: modularity {:+.4f} with the weighted ones, standard error {:.4f}",
               found.weighted ? "weighted by the squares of their eigenvalues" : "as they are", found.gain,
               found.standard_error);
  return {std::move(found.base), std::move(found.embedding)};
}

// Powers of the items' degrees that are tried, and the one that stands where nothing can be held back.
constexpr double powers[] = {0.2, 0.3, 0.4, 0.5};
constexpr double usual_power = 0.4;

Spectrum spectrum_of(const Session& session, const ShardGraph& graph) {
  SpectralOptions options;
  options.dim = session.config().model.dim;
  options.iterations = 12;  // nothing improves on it
  options.seed = static_cast<std::uint64_t>(session.config().train.seed);
  options.threads = static_cast<int>(session.threads());
  return leading_eigenvectors(session.comm(), graph, options);
}

// NDCG@20 of each of this rank's users on what is held back.
std::vector<double> ndcg_of(const Session& session, const Dataset& dataset, const ShardGraph& graph,
                            const SpectralRows& rows, const HeldBack& held) {
  const auto& comm = session.comm();
  const auto nodes = Distribution::even(graph.positions.total(), comm.size());
  const auto embedding = to_blocks(comm, graph, rows.embedding.view(), nodes);
  const auto users = reblock(comm, embedding.view(), nodes, 0, dataset.users.distribution);
  const auto items = reblock(comm, embedding.view(), nodes, dataset.users.total(), dataset.items.distribution);
  return ndcg_of_users(comm, users.view(), items.view(), dataset.items.distribution, held);
}

double choose_power(const Session& session, const GraphFile& graph) {
  const auto& comm = session.comm();
  const auto& dataset = graph.dataset;
  const auto held = hold_back(comm, dataset.interactions, dataset.users.distribution, dataset.items.distribution,
                              static_cast<std::uint64_t>(session.config().train.seed));
  const auto held_back = comm.sum(held.pairs.size());
  if (held_back == 0) {
    spdlog::info("  items' degrees to the power of {}: nothing can be held back to choose by", usual_power);
    return usual_power;
  }
  Dataset left;
  comm.attempt([&] {
    left.users = dataset.users;
    left.items = dataset.items;
    left.interactions = held.left;
    left.social = dataset.social;
  });
  const auto sharded = shard_graph(comm, graph_of(session, left), *graph.partition);
  release_freed_memory();
  const auto spectrum = spectrum_of(session, sharded.graph);
  const auto held_rows = held.user_rows();
  const UserMeans means(comm, held_rows);
  double best = usual_power;
  double best_ndcg = -1;
  std::string tried;
  for (const double power : powers) {
    const auto rows = spectral_rows(comm, sharded.graph, spectrum, power, static_cast<int>(session.threads()));
    const double ndcg = means.mean(ndcg_of(session, dataset, sharded.graph, rows, held));
    tried += fmt::format("{}{}: {:.4f}", tried.empty() ? "" : ", ", power, ndcg);
    if (ndcg <= best_ndcg) continue;
    best = power;
    best_ndcg = ndcg;
  }
  spdlog::info("  items' degrees to the power of {}, by NDCG@20 of {} held back ({})", best,
               counted(held_back, "interaction"), tried);
  return best;
}

SpectralRows of_items(const Session& session, const GraphFile& graph, const ShardGraph& sharded) {
  const double power = choose_power(session, graph);
  release_freed_memory();
  return spectral_rows(session.comm(), sharded, spectrum_of(session, sharded), power,
                       static_cast<int>(session.threads()));
}

}  // namespace

ModelFile spectral_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded,
                         const TrainTarget& target) {
  const auto& comm = session.comm();
  const Stopwatch stopwatch;
  auto model = empty_model(session, graph, sharded);
  if (auto earlier = load_checkpoint(session, graph, target)) {
    model.model = std::move(earlier->model);
    spdlog::info("train: {} has the eigenvectors already", target.path);
  } else {
    spdlog::info("train: the graph's leading eigenvectors, {}", counted(sharded.graph.positions.total(), "node"));
    const auto rows = graph.dataset.has_item_nodes() ? of_items(session, graph, sharded.graph)
                                                     : of_communities(session, sharded.graph);
    release_freed_memory();
    const NodeRoute route(comm, sharded.graph, Distribution::even(sharded.graph.positions.total(), comm.size()));
    model.model.embedding = route.to_blocks(rows.embedding.view());
    model.model.state.rows[layer_zero_rows] = route.to_blocks(rows.base.view());
  }
  model.history.timing["train"] = comm.all_gather(stopwatch.seconds());
  spdlog::info("train: {:.1f} s", stopwatch.seconds());
  return model;
}

}  // namespace cohort
