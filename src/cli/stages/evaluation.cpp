#include "cli/stages/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/output/result_notes.hpp"
#include "cli/output/work_progress.hpp"
#include "cli/stages/level_evaluation.hpp"
#include "cli/stages/level_recommend.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/stage_memory.hpp"
#include "cluster/agreement.hpp"
#include "cluster/quality.hpp"
#include "core/error.hpp"
#include "graph/id_numbers.hpp"
#include "graph/user_graph.hpp"
#include "ingest/rules/holdout.hpp"
#include "items/node_segments.hpp"
#include "items/ranking_measures.hpp"
#include "profile/activity_share.hpp"
#include "recommend/recommendation.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t segment_count(const SegmentsFile& result) {
  return std::ssize(result.segments.size);
}

std::string number_of(const Json& value) {
  return !value.is_number_float()          ? value.dump()
         : std::isnan(value.get<double>()) ? std::string("not defined")
                                           : fmt::format("{:.4f}", value.get<double>());
}

void add_agreement(const Communicator& comm, const SegmentsFile& result, const Labels& truth, Json& measures) {
  const auto found = agreement(comm, result.segments.segment, truth.label);
  measures["ari"] = found.ari;
  measures["nmi"] = found.nmi;
  measures["purity"] = found.purity;
  measures["labelled_users"] = found.items;
}

void add_quality(const Communicator& comm, const Config& config, const SegmentsFile& result, Json& measures) {
  const auto& segments = result.segments;
  const auto quality =
      cluster_quality(comm, {segments.users.view(), segments.segment, result.users.distribution, segment_count(result)},
                      static_cast<std::uint64_t>(config.train.seed));
  measures["silhouette"] = quality.silhouette;
  measures["silhouette_points"] = quality.silhouette_points;
  measures["davies_bouldin"] = quality.davies_bouldin;
  measures["calinski_harabasz"] = quality.calinski_harabasz;
}

void add_modularity(const Communicator& comm, const Config& config, const SegmentsFile& result, const Dataset& dataset,
                    Json& measures) {
  const auto& segment = result.segments.segment;
  const auto& users = result.users.distribution;
  const auto of_graph = [&](const BlockGraph& graph) {
    const auto of_node = node_segments(comm, graph, users, segment, segment_count(result));
    return modularity(comm, graph.row_begin, numbers(graph.column), graph.weight, of_node, graph.distribution);
  };
  const auto& social = dataset.social;
  const bool has_social = comm.any(social.size() > 0);
  if (dataset.has_items()) {
    auto without_social = config.graph;
    without_social.social_weight = 0;
    measures["modularity"] = of_graph(bipartite_graph(comm, dataset, without_social));
  }
  if (has_social) {
    measures["social_modularity"] = modularity(comm, social.row_begin, social.other, social.weight, segment, users);
  }
  if (dataset.has_items() && (has_social || dataset.users_alone)) {
    measures["graph_modularity"] = of_graph(block_graph(comm, dataset, config.graph));
  }
}

Json ranking_of(const Communicator& comm, const Population& population, const RecommendModel& model, Strategy strategy,
                const PairTable& held_out, std::span<const std::int64_t> ks) {
  const auto found = ranking_measures(
      comm, held_out, ks, [&](std::int64_t k, const std::vector<std::int64_t>& users, const TopItemsSink& sink) {
        recommend_to_users(comm, population, model, strategy, k, &users, sink);
      });
  return ranking_json(found);
}

// The same of the lists that the result has.
Json ranking_of(const Communicator& comm, const Recommendations& written, const PairTable& held_out,
                std::span<const std::int64_t> ks) {
  const auto make = [&](std::int64_t k, const std::vector<std::int64_t>& users, const TopItemsSink& sink) {
    comm.attempt([&] {
      std::vector<ScoredItem> best;
      for (const auto user : users) {
        best.clear();
        const auto first = static_cast<std::size_t>(user * written.count);
        for (std::size_t i = first; std::cmp_less(i, first + static_cast<std::size_t>(k)) && written.item[i] >= 0;
             ++i) {
          best.push_back({written.score[i], written.item[i]});
        }
        sink(user, best);
      }
    });
  };
  return ranking_json(ranking_measures(comm, held_out, ks, make));
}

// Whether its strategies are among those that are compared.
bool has_filter(const SegmentsFile& result, const EvaluationData& data) {
  const auto& written = result.recommendations;
  return written && !std::isnan(written->filter_power) && data.graph && data.graph->partition;
}

void add_ranking(const Communicator& comm, const Config& config, const SegmentsFile& result, const EvaluationData& data,
                 Json& measures) {
  const auto& dataset = *data.dataset;
  const auto& held_out = *data.held_out;
  if (!comm.any(held_out.size() > 0)) {
    // What is the matter with a test file was said when it was read.
    if (dataset.has_items() && &held_out == &dataset.holdout) {
      spdlog::info("recommendations are not measured: {}", why_not_measured(comm, dataset, config));
    }
    return;
  }
  const auto ks = cut_offs(config, result.items.total());
  const auto& written = result.recommendations;
  auto of_all = population_of(dataset, result, by_direction(config));
  LevelPopulation at(comm, of_all, result.segments, written ? written->level : 0);
  auto& population = at.get();
  RecommendOptions nothing_learnt;
  nothing_learnt.smoothing = false;
  auto model = fit_recommendations(comm, population, nothing_learnt);
  const bool smoothing = written && !std::isnan(written->smoothing);
  const bool weight = written && !std::isnan(written->blend_weight);
  if (smoothing) model.smoothing = written->smoothing;
  if (weight) model.blend_weight = written->blend_weight;
  std::optional<FilterGraph> filter;
  if (has_filter(result, data)) {
    model.filter_ridge = written->filter_ridge;
    model.filter_power = written->filter_power;
    model.filter_weight = written->filter_weight;
    population.filter = &filter.emplace(filter_graph_of(comm, config, *data.graph, dataset.interactions));
  }
  // Lists of all items that are long enough.
  const bool as_written = written && data.lists_as_configured && config.recommend.min_support == 0 &&
                          config.recommend.allowed_items.empty() && std::ranges::max(ks) <= written->count;
  Json strategies;
  for (const auto strategy : all_strategies) {
    const bool made = strategy == Strategy::segment ? smoothing
                      : strategy == Strategy::blend ? weight
                                                    : can_make(population, model, strategy);
    if (!made) continue;
    // The blend of weight 0 ranks as personal does.
    const bool is_personal = strategy == Strategy::personal || (strategy == Strategy::blend && model.blend_weight == 0);
    if (is_personal && strategies.contains("personal")) {
      strategies[name_of(strategy)] = strategies["personal"];
      continue;
    }
    const bool at_hand = as_written && (written->strategy == name_of(strategy) ||
                                        (is_personal && written->strategy == "blend" && written->blend_weight == 0));
    strategies[name_of(strategy)] = at_hand ? ranking_of(comm, *written, held_out, ks)
                                            : ranking_of(comm, population, model, strategy, held_out, ks);
  }
  for (const auto& [name, value] : strategies["personal"].items()) measures[name] = value;
  for (auto& of_strategy : strategies) of_strategy.erase("test_users");
  measures["written_strategy"] = written ? Json(written->strategy) : Json();
  measures["strategies"] = std::move(strategies);
  if (smoothing && !written->level_smoothing.empty()) {
    measures["levels"] =
        measures_by_level(comm, of_all, result.segments, written->level_smoothing, held_out, ks, model);
  }
}

// The strategies beside each other, a column each.
std::string strategies_beside(const Json& measures) {
  const auto& strategies = measures["strategies"];
  const auto& written = measures["written_strategy"];
  auto text = fmt::format("\n{:<20}", "strategy");
  for (const auto& [strategy, row] : strategies.items()) {
    text += fmt::format(" {:>18}", written == strategy ? strategy + " (written)" : strategy);
  }
  text += "\n";
  for (const auto& [name, value] : strategies.front().items()) {
    text += fmt::format("{:<20}", name);
    for (const auto& row : strategies) text += fmt::format(" {:>18}", number_of(row[name]));
    text += "\n";
  }
  return text + (written.is_null() ? std::string("no lists are written yet; `cohort recommend` writes them\n")
                                   : fmt::format("the lists written are those of {}\n", written.get<std::string>()));
}

}  // namespace

Json ranking_json(const std::vector<RankingMeasures>& found) {
  Json measures;
  for (const auto& of_cut_off : found) {
    const auto at = "@" + std::to_string(of_cut_off.k);
    measures["recall" + at] = of_cut_off.recall;
    measures["ndcg" + at] = of_cut_off.ndcg;
    measures["precision" + at] = of_cut_off.precision;
    measures["hit_rate" + at] = of_cut_off.hit_rate;
    measures["test_users"] = of_cut_off.users;
  }
  return measures;
}

std::string why_not_measured(const Communicator& comm, const Dataset& dataset, const Config& config) {
  const auto reason = why_nothing_is_held_out(comm, dataset, config.input);
  return !reason.empty() ? reason + "; `cohort evaluate --test FILE` measures with other interactions"
                         : "nothing is held out; set input.holdout or input.test and run `cohort run` again, or give "
                           "`cohort evaluate` interactions with --test";
}

std::vector<std::int64_t> cut_offs(const Config& config, std::int64_t items) {
  std::vector<std::int64_t> ks;
  for (const auto k : config.evaluate.k) {
    const auto capped = std::min(k, items);
    if (capped < k) spdlog::warn("evaluate.k = {} is more than there are items: {} is taken", k, with_commas(capped));
    if (std::ranges::find(ks, capped) == ks.end()) ks.push_back(capped);
  }
  return ks;
}

Json evaluate(const Communicator& comm, const Config& config, const SegmentsFile& result, const EvaluationData& data) {
  const WorkProgress progress(comm, "evaluate");
  COHORT_CHECK(data.dataset || !data.held_out);
  if (data.dataset) {
    auto sizes = block_sizes(comm, *data.dataset);
    sizes.held_out = data.held_out ? data.held_out->size() : 0;  // which a file may be
    std::optional<HaloRows> filter;
    if (has_filter(result, data)) filter = filter_rows(sizes, comm.size());
    need_memory(comm, "evaluate", evaluate_memory(sizes, config, stored_model(config, *data.dataset), filter));
  }
  Json measures;
  measures["segments"] = segment_count(result);
  measures["users"] = result.users.total();
  if (data.truth) add_agreement(comm, result, *data.truth, measures);
  add_quality(comm, config, result, measures);
  if (data.dataset) add_modularity(comm, config, result, *data.dataset, measures);
  std::optional<double> activity;
  if (data.dataset && data.dataset->has_items()) {
    activity =
        activity_share(comm, data.dataset->interactions.row_begin, result.segments.segment, segment_count(result));
    measures["activity_share"] = *activity;
  }
  if (data.held_out) add_ranking(comm, config, result, data, measures);
  measures["notes"] = result_notes(measures["silhouette"].get<double>(), activity, result.segments.loss,
                                   config.train.loss == LossKind::softmax);
  return measures;
}

Json evaluate_run(const Session& session, const GraphFile& graph, const SegmentsFile& result) {
  EvaluationData data;
  data.dataset = &graph.dataset;
  data.held_out = &graph.dataset.holdout;
  data.graph = &graph;
  data.lists_as_configured = true;
  return evaluate(session.comm(), session.config(), result, data);
}

std::string evaluation_table(const Json& measures) {
  std::string text;
  for (const auto& [name, value] : measures.items()) {
    // The measures of `personal` stand among those of the strategies.
    if (value.is_structured() || name == "written_strategy" || name.find('@') != std::string::npos) continue;
    text += fmt::format("{:<20} {:>12}\n", name, number_of(value));
  }
  if (measures.contains("strategies")) text += strategies_beside(measures);
  if (measures.contains("levels")) text += levels_beside(measures["levels"]);
  for (const auto& note : measures["notes"]) text += fmt::format("note: {}\n", note.get<std::string>());
  return text;
}

}  // namespace cohort
