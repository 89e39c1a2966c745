#include <cmath>
#include <limits>

#include "cli/logging.hpp"
#include "cli/pipeline.hpp"
#include "cli/report.hpp"
#include "core/error.hpp"
#include "core/timer.hpp"
#include "ingest/id_list.hpp"
#include "segment/recommendation.hpp"

namespace cohort {

namespace {

constexpr double not_used = std::numeric_limits<double>::quiet_NaN();

// Puts a list into its row of a table that is full of -1 and NaN.
void put(std::span<const ScoredItem> best, std::size_t row, std::size_t count, std::vector<std::int64_t>& item,
         std::vector<float>& score) {
  for (std::size_t i = 0; i < best.size(); ++i) {
    item[row * count + i] = best[i].item;
    score[row * count + i] = best[i].score;
  }
}

}  // namespace

Population population_of(const Dataset& dataset, const SegmentsFile& result, bool spherical) {
  const auto& segments = result.segments;
  return {&dataset.interactions,    segments.segment,           segments.users.view(),      segments.items.view(),
          segments.centroid.view(), &result.users.distribution, &result.items.distribution, spherical};
}

std::vector<char> read_allowed_items(const Session& session, const Dataset& dataset) {
  const auto& comm = session.comm();
  const auto& path = session.config().recommend.allowed_items;
  const auto min_support = session.config().recommend.min_support;
  if (!dataset.has_items()) return {};
  IdList list;
  if (!path.empty()) {
    list = read_id_list(comm, dataset.items, path, "items");
    spdlog::info("{}: {} items allowed", path, with_commas(list.known));
    if (list.unknown > 0) {
      spdlog::warn("{}: {} ids are of no item and are passed over, the first being \"{}\"", path,
                   with_commas(list.unknown), list.first_unknown);
    }
  }
  if (min_support > 0) {
    // The segments do not matter here, only whether an item is left.
    std::vector<std::int32_t> one_segment;
    comm.attempt([&] { one_segment.assign(static_cast<std::size_t>(dataset.interactions.rows()), 0); });
    const auto counts = count_items(comm, dataset.interactions, one_segment, 1, dataset.items.distribution);
    choose_items(comm, counts, {}, min_support, list.listed);
  }
  return std::move(list.listed);
}

void recommend_items(const Session& session, const GraphFile& graph, std::span<const char> allowed,
                     SegmentsFile& result) {
  const auto& comm = session.comm();
  const auto& config = session.config().recommend;
  const Timer timer;
  const auto strategy = strategy_named(config.strategy);
  if (result.items.total() == 0) {
    throw InputError("there are no items to recommend: the graph was made of social edges alone");
  }
  spdlog::info("recommend: {} items a user and a segment, strategy {}", config.count, config.strategy);
  const auto population = population_of(graph.dataset, result, session.config().segment.method == "spherical");
  const bool blend = strategy == Strategy::blend;
  const bool smoothing = blend || strategy == Strategy::segment;
  RecommendOptions options;
  options.min_support = config.min_support;
  options.allowed = allowed;
  options.smoothing = smoothing;
  options.weight = blend;
  options.seed = static_cast<std::uint64_t>(session.config().train.seed);
  const auto model = fit_recommendations(comm, population, options);
  if (!model.choice.all) {
    spdlog::info("  {} of {} items may be recommended", with_commas(model.choice.blocks.total()),
                 with_commas(result.items.total()));
  }
  if (smoothing) {
    spdlog::info("  smoothing {:g}, chosen on {} interactions held back from {} users", model.smoothing,
                 with_commas(model.validation_pairs), with_commas(model.validation_users));
  }
  if (blend) {
    spdlog::info("  weight of the segment's prior {:g}, NDCG@20 of {:.4f} on them", model.blend_weight,
                 model.validation_ndcg);
  }

  Recommendations found;
  found.strategy = config.strategy;
  found.count = config.count;
  found.smoothing = smoothing ? model.smoothing : not_used;
  found.blend_weight = blend ? model.blend_weight : not_used;
  const auto n = static_cast<std::size_t>(config.count);
  constexpr float no_score = std::numeric_limits<float>::quiet_NaN();
  comm.attempt([&] {
    found.item.assign(population.segment.size() * n, -1);
    found.score.assign(population.segment.size() * n, no_score);
    found.segment_item.assign(static_cast<std::size_t>(population.segments()) * n, -1);
    found.segment_score.assign(static_cast<std::size_t>(population.segments()) * n, no_score);
  });
  recommend_to_users(comm, population, model, strategy, config.count, nullptr,
                     [&](std::int64_t user, std::span<const ScoredItem> best) {
                       put(best, static_cast<std::size_t>(user), n, found.item, found.score);
                     });
  const auto lists = recommend_to_segments(comm, population, model, strategy, config.count);
  for (std::size_t s = 0; s + 1 < lists.begin.size(); ++s) {
    for (auto i = lists.begin[s]; i < lists.begin[s + 1]; ++i) {
      const auto place = s * n + static_cast<std::size_t>(i - lists.begin[s]);
      found.segment_item[place] = lists.item[static_cast<std::size_t>(i)];
      found.segment_score[place] = lists.score[static_cast<std::size_t>(i)];
    }
  }
  result.recommendations = std::move(found);
  result.history.timing["recommend"] = comm.all_gather(timer.seconds());
  spdlog::info("recommend: {:.1f} s", timer.seconds());
}

}  // namespace cohort
