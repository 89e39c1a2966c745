#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/output/work_progress.hpp"
#include "cli/stages/choice_stage.hpp"
#include "cli/stages/level_recommend.hpp"
#include "cli/stages/level_stage.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/stage_memory.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/stopwatch.hpp"
#include "ingest/records/id_list.hpp"
#include "recommend/blend.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/recommendation.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

constexpr double not_used = std::numeric_limits<double>::quiet_NaN();
constexpr float no_score = std::numeric_limits<float>::quiet_NaN();

// Puts a list into its row of a table that is full of -1 and NaN.
void put(std::span<const ScoredItem> best, std::size_t row, std::size_t count, std::vector<std::int64_t>& item,
         std::vector<float>& score) {
  for (std::size_t i = 0; i < best.size(); ++i) {
    item[row * count + i] = best[i].item;
    score[row * count + i] = best[i].score;
  }
}

// What m and the blend's w are, and why.
void say_what_was_learnt(const RecommendModel& model, bool blend) {
  if (model.validation_pairs == 0) {
    spdlog::info(
        "  no user has two interactions, so nothing could be held back to learn how much segments count; they "
        "do not");
    return;
  }
  spdlog::info("  smoothing {:g}, chosen on {} held back from {}", model.smoothing,
               counted(model.validation_pairs, "interaction"), counted(model.validation_users, "user"));
  if (!blend) return;
  if (model.best_weight == 0) {
    spdlog::info("  weight of the segment's prior 0: no other has a larger NDCG@20 than {:.4f} on them",
                 model.validation_ndcg);
    return;
  }
  const auto gain =
      fmt::format("{:+.4f} with {:g}, standard error {:.4f}", model.best_gain, model.best_weight, model.gain_error);
  if (model.blend_weight > 0) {
    spdlog::info("  weight of the segment's prior {:g}: NDCG@20 of {:.4f} on them ({})", model.blend_weight,
                 model.validation_ndcg, gain);
  } else {
    spdlog::info("  weight of the segment's prior 0: NDCG@20 of {:.4f} on them, and no gain that is above chance ({})",
                 model.validation_ndcg, gain);
  }
}

// How the filter ranks, and whether that is better.
void say_filter(const RecommendModel& model, bool compared) {
  const auto beside = std::isnan(model.filter_weight)
                          ? std::string()
                          : fmt::format(", {:g} of the embedding beside the filter in hybrid", model.filter_weight);
  if (model.filter_users == 0) {
    spdlog::info("  filter's ridge {:g}, degree's power {:g}{}: nothing could be held back to choose them on",
                 model.filter_ridge, model.filter_power, beside);
    return;
  }
  const auto gain = compared ? fmt::format(", {:+.4f} over the embedding (standard error {:.4f})", model.filter_gain,
                                           model.filter_error)
                             : std::string();
  spdlog::info("  filter's ridge {:g}, degree's power {:g}{}: NDCG@20 of {:.4f} on {} of those users{}",
               model.filter_ridge, model.filter_power, beside, model.filter_ndcg, with_commas(model.filter_users),
               gain);
}

// What is chosen, with what has not seen what it is chosen on. trained: filled where an embedding is trained for that.
RecommendModel fit(const Session& session, const GraphFile& graph, std::span<const char> allowed,
                   const Population& population, std::optional<Strategy> wanted, const SegmentsFile& result,
                   std::int64_t level, std::optional<LevelValidation>& trained) {
  const auto& comm = session.comm();
  const bool filtered = wanted ? is_filtered(*wanted) : filter_is_cheap(comm, graph.dataset);
  RecommendOptions options;
  options.min_support = session.config().recommend.min_support;
  options.allowed = allowed;
  options.smoothing = !wanted || wanted == Strategy::blend || wanted == Strategy::segment;
  options.filter_alone = wanted != Strategy::hybrid;
  options.hybrid = wanted != Strategy::filter;
  options.seed = static_cast<std::uint64_t>(session.config().train.seed);
  Validation validation;
  std::optional<FilterGraph> left;
  if (!wanted || wanted == Strategy::blend || wanted == Strategy::hybrid) {
    trained.emplace(learn_validation(session, graph, result));
    options.validation = &trained->at(comm, level);
  } else if (wanted == Strategy::filter) {
    validation.held =
        hold_back(comm, *population.interactions, *population.user_blocks, *population.item_blocks, options.seed);
    options.validation = &validation;
  }
  if (filtered) {
    options.filter = &left.emplace(filter_graph_of(comm, session.config(), graph, options.validation->held.left));
  }
  auto model = fit_recommendations(comm, population, options);
  if (!model.choice.all) {
    spdlog::info("  {} of {} may be recommended", with_commas(model.choice.blocks.total()),
                 counted(graph.dataset.items.total(), "item"));
  }
  if (options.smoothing) say_what_was_learnt(model, !wanted || wanted == Strategy::blend);
  if (filtered) say_filter(model, !wanted);
  return model;
}

SegmentLists lists_of_segments(const Communicator& comm, const Population& population, const RecommendModel& model,
                               Strategy strategy, const RecommendConfig& config) {
  const auto n = static_cast<std::size_t>(config.count);
  SegmentLists found;
  comm.attempt([&] {
    found.item.assign(population.segments() * n, -1);
    found.score.assign(population.segments() * n, no_score);
    found.known.assign(population.segments() * n, 0);
  });
  const auto held = widely_held(comm, model.counts, population);
  const auto lists =
      recommend_to_segments(comm, population, model, strategy, config.count, config.novel ? &held : nullptr);
  for (std::size_t s = 0; s + 1 < lists.begin.size(); ++s) {
    for (const auto i : places_of(lists.begin, s)) {
      const auto place = s * n + static_cast<std::size_t>(i - lists.begin[s]);
      const auto item = lists.item[i];
      found.item[place] = item;
      found.known[place] = std::ranges::binary_search(held.row(static_cast<std::int64_t>(s)), item) ? 1 : 0;
      found.score[place] = lists.score[i];
    }
  }
  return found;
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
    spdlog::info("{}: {} allowed", path, counted(list.known, "item"));
    if (list.unknown > 0) {
      spdlog::warn("{}: {} of no item passed over, the first being \"{}\"", path, counted(list.unknown, "id"),
                   list.first_unknown);
    }
  }
  if (min_support > 0) {
    // The segments do not matter here, only whether an item is left.
    std::vector<std::int32_t> one_segment;
    comm.attempt([&] { one_segment.assign(dataset.interactions.rows(), 0); });
    const auto counts = count_items(comm, dataset.interactions, one_segment, 1, dataset.items.distribution);
    choose_items(comm, counts, {}, min_support, list.listed);
  }
  return std::move(list.listed);
}

void recommend_items(const Session& session, const GraphFile& graph, std::span<const char> allowed,
                     SegmentsFile& result, std::int64_t level) {
  const auto& comm = session.comm();
  const auto& config = session.config().recommend;
  const Stopwatch stopwatch;
  if (result.items.total() == 0) {
    throw InputError("there are no items to recommend: the graph was made of social edges alone");
  }
  std::optional<Strategy> wanted;
  if (config.strategy != Strategy::automatic) wanted = config.strategy;
  const auto sizes = block_sizes(comm, graph.dataset);
  std::optional<HaloRows> filter_of;
  if (filters_to_recommend(config.strategy, sizes.all_users, sizes.all_interactions)) {
    filter_of = filter_rows(sizes, comm.size());
  }
  need_memory(comm, "recommend",
              recommend_memory(sizes, session.config(), stored_model(session.config(), graph.dataset), filter_of));
  const WorkProgress progress(comm, "recommend");
  spdlog::info("recommend: {} a user and a segment, strategy {}", counted(config.count, "item"),
               name_of(config.strategy));
  const auto pairs = sizes.all_interactions;
  if (!wanted && pairs > most_trained_again) {
    wanted = Strategy::personal;
    spdlog::info(
        "  strategy personal is taken: {} are too many to train once more, without some, and choose on those; "
        "recommend.strategy names another",
        counted(pairs, "interaction"));
  }
  auto of_all = population_of(graph.dataset, result, by_direction(session.config()));
  std::optional<LevelValidation> trained;
  Recommendations found;
  RecommendModel model;
  Strategy strategy = Strategy::personal;
  std::optional<FilterGraph> filter;
  const auto n = static_cast<std::size_t>(config.count);
  {
    LevelPopulation at(comm, of_all, result.segments, level);
    auto& population = at.get();
    model = fit(session, graph, allowed, population, wanted, result, level, trained);
    strategy = wanted.value_or(model.best);
    if (!wanted) spdlog::info("  strategy {} is the best of those on what was held back", name_of(strategy));
    if (is_filtered(strategy)) {
      of_all.filter = &filter.emplace(filter_graph_of(comm, session.config(), graph, graph.dataset.interactions));
      population.filter = of_all.filter;
    }
    found.strategy = name_of(strategy);
    found.count = config.count;
    const bool blend = !wanted || wanted == Strategy::blend;
    found.smoothing = blend || wanted == Strategy::segment ? model.smoothing : not_used;
    found.blend_weight = blend ? model.blend_weight : not_used;
    found.filter_ridge = model.filter_ridge;
    found.filter_power = model.filter_power;
    found.filter_weight = model.filter_weight;
    comm.attempt([&] {
      found.item.assign(population.segment.size() * n, -1);
      found.score.assign(population.segment.size() * n, no_score);
    });
    recommend_to_users(comm, population, model, strategy, config.count, nullptr,
                       [&](std::int64_t user, std::span<const ScoredItem> best) {
                         put(best, static_cast<std::size_t>(user), n, found.item, found.score);
                       });
  }
  // The segments of every level; where there is one, they are those that the model knows.
  auto& levels = result.segments.levels;
  const auto finest = std::ssize(levels) + 1;
  const bool smoothing = !std::isnan(found.smoothing);
  if (finest > 1) found.level = level == 0 ? finest : level;
  for (std::int64_t one = 1; one <= finest; ++one) {
    LevelPopulation at(comm, of_all, result.segments, one);
    if (finest > 1) {
      auto m = found.smoothing;
      if (smoothing && one != found.level) {
        m = fit_smoothing(comm, at.get(), trained ? &trained->at(comm, one) : nullptr,
                          static_cast<std::uint64_t>(session.config().train.seed));
      }
      take_level(comm, at.get(), smoothing ? m : model.smoothing, model);
      found.level_smoothing.push_back(m);
    }
    auto lists = lists_of_segments(comm, at.get(), model, strategy, config);
    (one == finest ? found.of_segments : levels[one - 1].recommended.emplace()) = std::move(lists);
  }
  result.recommendations = std::move(found);
  result.history.timing["recommend"] = comm.all_gather(stopwatch.seconds());
  spdlog::info("recommend: {:.1f} s", stopwatch.seconds());
}

}  // namespace cohort
