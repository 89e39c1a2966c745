#include "cli/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/result_notes.hpp"
#include "cluster/agreement.hpp"
#include "cluster/quality.hpp"
#include "core/error.hpp"
#include "graph/block_graph.hpp"
#include "graph/id_numbers.hpp"
#include "segment/activity_share.hpp"
#include "segment/node_segments.hpp"
#include "segment/ranking.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t segment_count(const SegmentsFile& result) {
  return std::ssize(result.segments.size);
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
  {
    const auto graph = bipartite_graph(comm, dataset, config.graph);
    const auto of_node = node_segments(comm, graph, users, segment, segment_count(result));
    measures["modularity"] =
        modularity(comm, graph.row_begin, numbers(graph.column), graph.weight, of_node, graph.distribution);
  }
  const auto& social = dataset.social;
  if (!comm.any(social.size() > 0)) return;
  measures["social_modularity"] = modularity(comm, social.row_begin, social.other, social.weight, segment, users);
}

void add_ranking(const Communicator& comm, const Config& config, const SegmentsFile& result, const Dataset& dataset,
                 const PairTable& held_out, Json& measures) {
  if (!comm.any(held_out.size() > 0)) return;
  check_cut_offs(config, result.items.total());
  TopItemsQuery query;
  query.users = result.segments.users.view();
  query.items = result.segments.items.view();
  query.blocks = &result.items.distribution;
  query.excluded = &dataset.interactions;
  for (const auto& found : ranking_measures(comm, query, held_out, config.evaluate.k)) {
    const auto at = "@" + std::to_string(found.k);
    measures["recall" + at] = found.recall;
    measures["ndcg" + at] = found.ndcg;
    measures["precision" + at] = found.precision;
    measures["hit_rate" + at] = found.hit_rate;
    measures["test_users"] = found.users;
  }
}

}  // namespace

void check_cut_offs(const Config& config, std::int64_t items) {
  const auto largest = std::ranges::max(config.evaluate.k);
  if (largest <= items) return;
  throw InputError("evaluate.k is " + std::to_string(largest) + ", but there are only " + std::to_string(items) +
                   " items to rank; set a smaller evaluate.k and run `cohort run` or `cohort segment` again");
}

Json evaluate(const Communicator& comm, const Config& config, const SegmentsFile& result, const EvaluationData& data) {
  COHORT_CHECK(data.dataset || !data.held_out);
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
  if (data.held_out) add_ranking(comm, config, result, *data.dataset, *data.held_out, measures);
  measures["notes"] = result_notes(measures["silhouette"].get<double>(), activity, result.segments.loss);
  return measures;
}

Json evaluate_run(const Session& session, const GraphFile& graph, const SegmentsFile& result) {
  EvaluationData data;
  data.dataset = &graph.dataset;
  data.held_out = &graph.dataset.holdout;
  return evaluate(session.comm(), session.config(), result, data);
}

std::string evaluation_table(const Json& measures) {
  std::string text;
  for (const auto& [name, value] : measures.items()) {
    if (value.is_structured()) continue;
    const auto number = !value.is_number_float()          ? value.dump()
                        : std::isnan(value.get<double>()) ? std::string("not defined")
                                                          : fmt::format("{:.4f}", value.get<double>());
    text += fmt::format("{:<20} {:>12}\n", name, number);
  }
  for (const auto& note : measures["notes"]) text += fmt::format("note: {}\n", note.get<std::string>());
  return text;
}

}  // namespace cohort
