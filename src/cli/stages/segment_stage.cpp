#include <fmt/format.h>

#include <algorithm>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/choice_stage.hpp"
#include "cli/stages/count_stage.hpp"
#include "cli/stages/level_stage.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/previous_stage.hpp"
#include "cli/stages/stage_memory.hpp"
#include "cli/stages/trained_segments.hpp"
#include "cluster/kmeans.hpp"
#include "cluster/principal_plane.hpp"
#include "comm/reblock.hpp"
#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "graph/node_route.hpp"
#include "train/choices.hpp"
#include "train/communities.hpp"
#include "train/user_rows.hpp"

namespace cohort {

namespace {

// Values of the rows of users_by_shard, to this rank's block of users.
template <class T>
std::vector<T> by_user(const NodeRoute& route, const ShardGraph& graph, const UserRows& users,
                       const std::vector<T>& values) {
  std::vector<T> owned(graph.owned());
  for (std::size_t i = 0; i < values.size(); ++i) owned[users.owned_row[i]] = values[i];
  return route.to_blocks(std::span<const T>(owned));
}

// Values of this rank's block of users, to the rows of users_by_shard.
std::vector<std::int32_t> by_row(const NodeRoute& route, const UserRows& users, std::span<const std::int32_t> values) {
  const auto owned = route.to_shards(values);
  std::vector<std::int32_t> result;
  result.reserve(users.owned_row.size());
  for (const auto row : users.owned_row) result.push_back(owned[row]);
  return result;
}

// The users in the order of their shards, as k-means wants them.
struct ShardedUsers {
  UserRows users;
  PointSet points;

  ShardedUsers(const Communicator& comm, const Dataset& dataset, const ShardGraph& sharded, const ModelFile& model) {
    const auto nodes = Distribution::even(dataset.nodes(), comm.size());
    const auto owned = to_shards(comm, sharded, model.model.embedding.view(), nodes);
    comm.attempt([&] { users = users_by_shard(comm, sharded, owned.view()); });
    points = {users.rows.view(), users.id, users.shard_begin, &sharded.layout};
  }
  ShardedUsers(const ShardedUsers&) = delete;
  ShardedUsers& operator=(const ShardedUsers&) = delete;
};

KmeansOptions kmeans_options(const Config& config, const Dataset& dataset) {
  KmeansOptions options;
  options.spherical = by_direction(config);
  options.restarts = config.segment.restarts;
  if (encoder_of(config) == EncoderKind::spectral && !dataset.has_item_nodes()) {
    options.restarts = std::max(options.restarts, community_restarts);
  }
  if (is_network(config.model.encoder) && config.train.loss == LossKind::ns4gc) {
    options.restarts = std::max(options.restarts, ns4gc_restarts(dataset.users.total()));
  }
  options.max_iterations = config.segment.max_iterations;
  options.tolerance = config.segment.tolerance;
  options.seed = static_cast<std::uint64_t>(config.train.seed);
  ask_for_levels(config, options);
  return options;
}

void say_what_is_ignored(const Config& config) {
  const auto& segment = config.segment;
  const SegmentConfig usual;
  const auto warn = [](const std::string& key, const std::string& why) {
    spdlog::warn("without effect: segment.{}, since {}", key, why);
  };
  if (segment.previous.empty() && segment.stickiness != usual.stickiness) {
    warn("stickiness", "there is no segment.previous whose segments users could stay in");
  }
  if (segment.count != automatic_count && segment.count_min != usual.count_min) {
    warn("count_min", "segment.count says how many segments there are");
  }
  if (segment.count != automatic_count && segment.count_max != usual.count_max) {
    warn("count_max", "segment.count says how many segments there are");
  }
}

// Into options.count segments. previous: what they follow; none: nothing.
Segments cluster(const Session& session, const Dataset& dataset, const ShardGraph& sharded, const ModelFile& model,
                 const ShardedUsers& by_shard, const NodeRoute& route, const KmeansOptions& options,
                 const PreviousResult* previous) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  const Stopwatch stopwatch;
  spdlog::info("segment: {} into {} ({})", counted(dataset.users.total(), "user"), counted(options.count, "segment"),
               options.spherical ? "spherical" : "kmeans");
  Segments segments;
  KmeansResult found;
  if (previous) {
    const auto former = by_row(route, by_shard.users, previous->row_of);
    auto following = follow_previous(session, by_shard.points, options, previous->result, former);
    found = std::move(following.found);
    segments.number = std::move(following.number);
    segments.succession = std::move(following.succession);
    const auto groups = former_groupings(*previous, following.was, config.segment.stickiness);
    segments.levels = levels_above(session, by_shard.points, found, groups);
    for (std::size_t n = 0; n < segments.levels.size(); ++n) {
      follow_level(comm, previous->levels[n], former, found.segment, segments.levels[n]);
    }
    log_succession(previous->file.path, segments);
  } else {
    found = segments_of_model(session, model, by_shard.points, options);
    segments.levels = levels_above(session, by_shard.points, found);
  }
  const auto nodes = Distribution::even(dataset.nodes(), comm.size());
  const auto& blocks = dataset.users.distribution;
  segments.segment = by_user(route, sharded, by_shard.users, found.segment);
  segments.distance = by_user(route, sharded, by_shard.users, found.distance);
  segments.margin = by_user(route, sharded, by_shard.users, found.margin);
  segments.users = reblock(comm, model.model.embedding.view(), nodes, 0, blocks);
  if (dataset.users_alone) {
    segments.items = items_among_users(session, dataset, segments.users.view());
  } else {
    segments.items =
        reblock(comm, model.model.embedding.view(), nodes, dataset.users.total(), dataset.items.distribution);
  }
  if (dataset.has_item_nodes() && encoder_of(config) != EncoderKind::spectral &&
      config.train.loss == LossKind::softmax) {
    const double power = with_chosen(config.train, model.history.choice).length_power;
    comm.attempt([&] { weigh_by_length(segments.items.view(), power); });
  }
  segments.centroid = std::move(found.centroid);
  segments.size = std::move(found.size);
  segments.inertia = std::move(found.inertia);
  spdlog::info("segment: {:.1f} s, {}, inertia {:.6g}", stopwatch.seconds(),
               counted(std::ssize(segments.inertia), "iteration"),
               segments.inertia.empty() ? 0.0 : segments.inertia.back());
  return segments;
}

}  // namespace

Segments cluster_users(const Session& session, const Dataset& dataset, const ShardGraph& sharded,
                       const ModelFile& model, std::int64_t count) {
  const ShardedUsers by_shard(session.comm(), dataset, sharded, model);
  const NodeRoute route(session.comm(), sharded, dataset.users.distribution);
  auto options = kmeans_options(session.config(), dataset);
  options.count = count;
  options.or_fewer = true;
  return cluster(session, dataset, sharded, model, by_shard, route, options, nullptr);
}

SegmentsFile segment_users(const Session& session, const GraphFile& graph, const ShardGraph& sharded,
                           const ModelFile& model) {
  const auto& comm = session.comm();
  const auto& dataset = graph.dataset;
  const Stopwatch stopwatch;
  need_memory(comm, "segment",
              clustering_memory(stage_sizes(comm, sharded), stored_model(session.config(), dataset),
                                encoder_of(session.config()), dataset.has_items()));
  const ShardedUsers by_shard(comm, dataset, sharded, model);
  const NodeRoute route(comm, sharded, dataset.users.distribution);

  SegmentsFile result;
  result.users = dataset.users;
  result.items = dataset.items;
  result.epochs = model.model.epochs;
  result.shards = model.shards;
  result.provenance = session.provenance(graph.provenance.inputs);
  result.provenance.follows = model.provenance.follows;
  result.history = model.history;
  auto& segments = result.segments;
  say_what_is_ignored(session.config());
  const auto previous = read_previous(session, dataset.users);
  auto options = kmeans_options(session.config(), dataset);
  options.count = session.config().segment.count;
  if (options.count == automatic_count) {
    options.count = settle_count(session, by_shard.points, options, result.history.count);
  }
  segments = cluster(session, dataset, sharded, model, by_shard, route, options, previous ? &*previous : nullptr);
  if (previous) result.provenance.follows.push_back(previous->file);
  for (const auto& place : by_user(route, sharded, by_shard.users, principal_plane(comm, by_shard.points))) {
    segments.map.insert(segments.map.end(), place.begin(), place.end());
  }
  segments.loss = model.model.loss;
  result.fold_in = fold_in_table(session, graph, sharded, model, segments);
  result.history.timing["segment"] = comm.all_gather(stopwatch.seconds());
  return result;
}

}  // namespace cohort
