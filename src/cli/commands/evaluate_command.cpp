#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/output/strategies_report.hpp"
#include "cli/output/work_progress.hpp"
#include "cli/stages/evaluation.hpp"
#include "cli/stages/level_evaluation.hpp"
#include "cli/stages/level_recommend.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stored_config.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "ingest/records/pair_reader.hpp"
#include "ingest/rules/holdout.hpp"
#include "recommend/blend.hpp"
#include "store/segments_file.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

struct EvaluateOptions {
  std::string result;
  std::string truth;
  std::string test;
  bool json = false;
  bool strategies = false;
};

bool same_ids(const IdTable& a, const IdTable& b) {
  return a.begin == b.begin && a.bytes == b.bytes;
}

// graph.h5 beside the result; none where there is no such file. Throws InputError where it is of another result.
std::optional<GraphFile> graph_beside(const Communicator& comm, const std::string& path, const SegmentsFile& result,
                                      const Config& config) {
  if (!is_there(comm, path)) return std::nullopt;
  auto graph = read_graph_file(comm, path);
  const bool other_ids = !same_ids(graph.dataset.users, result.users) || !same_ids(graph.dataset.items, result.items);
  if (comm.any(other_ids) || !same_inputs(graph.provenance.inputs, result.provenance.inputs) ||
      graph_settings(stored_config(graph.provenance, path)) != graph_settings(config)) {
    throw InputError(path + " is not the graph that the result beside it was made from; run `cohort run` again, or " +
                     "evaluate the result where its own graph.h5 is");
  }
  return graph;
}

PairTable test_pairs(const Communicator& comm, const Dataset& dataset, const Config& config, const std::string& file) {
  auto input = config.input;
  input.test = {file};
  spdlog::info("evaluate: test pairs");
  auto layout = interactions_layout(input);
  layout.settable = false;  // the configuration is the result's
  log_input(report_files(comm, input.test, layout));
  auto test = read_test_pairs(comm, dataset, input, config.clean, config.graph, false);
  log_read("test pairs", test.stats.read);
  for (const auto& warning : test.stats.read.warnings) spdlog::warn("{}", warning);
  if (test.stats.pairs == 0) test.stats.nothing = "every pair of " + file + " is one of those that were trained on";
  log_test_pairs(test.stats);
  return std::move(test.pairs);
}

// The model of all strategies as it was written; where it was not, what it would be, learnt beside the result.
// smoothing: of every level of nested segments, beside it.
RecommendModel strategies_model(const Communicator& comm, const EvaluateOptions& options, Config config,
                                const SegmentsFile& result, const GraphFile& graph, const Population& population,
                                std::vector<double>& smoothing) {
  RecommendOptions wanted;
  wanted.seed = static_cast<std::uint64_t>(config.train.seed);
  const auto& written = result.recommendations;
  if (written && !std::isnan(written->blend_weight)) {
    wanted.smoothing = false;
    auto model = fit_recommendations(comm, population, wanted);
    model.smoothing = written->smoothing;
    model.blend_weight = written->blend_weight;
    model.filter_ridge = written->filter_ridge;
    model.filter_power = written->filter_power;
    model.filter_weight = written->filter_weight;
    smoothing = written->level_smoothing;
    if (!smoothing.empty()) model.smoothing = smoothing.back();
    const auto held =
        hold_back(comm, *population.interactions, *population.user_blocks, *population.item_blocks, wanted.seed);
    model.validation_users = comm.sum(held.users());
    return model;
  }
  const auto directory = std::filesystem::path(options.result).parent_path();
  config.output.directory = directory.empty() ? "." : directory.string();
  LevelValidation trained(learn_validation(Session(comm, config), graph, result));
  const auto levels = std::ssize(result.segments.levels);
  for (std::int64_t level = 1; levels > 0 && level <= levels + 1; ++level) {
    const LevelPopulation at(comm, population, result.segments, level);
    smoothing.push_back(fit_smoothing(comm, at.get(), &trained.at(comm, level), wanted.seed));
  }
  wanted.validation = &trained.at(comm, 0);
  std::optional<FilterGraph> left;
  if (filter_is_cheap(comm, graph.dataset)) {
    wanted.filter = &left.emplace(filter_graph_of(comm, config, graph, wanted.validation->held.left));
  }
  return fit_recommendations(comm, population, wanted);
}

// Compares the strategies of `recommend` on the held-out interactions, at the first cut-off.
void say_strategies(const Communicator& comm, const EvaluateOptions& options, const Config& config,
                    const SegmentsFile& result, const std::optional<GraphFile>& graph, const EvaluationData& data) {
  if (!graph) throw InputError(options.result + ": there is no graph.h5 beside it, which --strategies needs");
  if (!comm.any(data.held_out->size() > 0)) {
    throw InputError(options.result + ": there are no held-out interactions to compare strategies on: " +
                     (options.test.empty()
                          ? why_not_measured(comm, *data.dataset, config)
                          : "every pair of " + options.test + " is one of those that were trained on"));
  }
  const WorkProgress progress(comm, "evaluate");
  ComparisonOptions comparison;
  comparison.k = cut_offs(config, result.items.total()).front();
  comparison.seed = static_cast<std::uint64_t>(config.train.seed);
  auto population = population_of(*data.dataset, result, by_direction(config));
  std::vector<double> smoothing;
  auto model = strategies_model(comm, options, config, result, *graph, population, smoothing);
  std::optional<FilterGraph> filter;
  if (!std::isnan(model.filter_power) && graph->partition) {
    population.filter = &filter.emplace(filter_graph_of(comm, config, *graph, graph->dataset.interactions));
  }
  const auto found = compare_strategies(comm, population, model, *data.held_out, comparison);
  const auto written = result.recommendations ? result.recommendations->strategy : std::string();
  auto json = strategies_json(found, written, result.segments.number);
  auto table = strategies_table(found, written, result.segments.number);
  if (!smoothing.empty()) {
    const std::vector<std::int64_t> ks{comparison.k};
    json["levels"] = measures_by_level(comm, population, result.segments, smoothing, *data.held_out, ks, model);
    table += levels_beside(json["levels"]);
  }
  say(comm, options.json ? json.dump(2) + "\n" : table);
}

void evaluate_file(const EvaluateOptions& options) {
  const auto comm = Communicator::world();
  auto threads = choose_threads(0);
  comm.broadcast(std::span<std::int64_t>(&threads, 1));
  prepare_process(comm, threads);

  const auto result = read_segments_file(comm, options.result);
  const auto config = stored_config(result.provenance, options.result);
  const auto graph_path = (std::filesystem::path(options.result).parent_path() / "graph.h5").string();
  const auto graph = graph_beside(comm, graph_path, result, config);
  EvaluationData data;
  std::optional<PairTable> test;
  std::optional<Labels> truth;
  if (graph) {
    data.dataset = &graph->dataset;
    data.held_out = &graph->dataset.holdout;
    data.graph = &*graph;
  } else if (!options.test.empty()) {
    throw InputError("there is no " + graph_path +
                     ", which says what not to recommend again; --test needs it: run `cohort prepare` with the " +
                     "result's configuration");
  } else {
    spdlog::info("evaluate: there is no {}, so only what needs no graph is measured", graph_path);
  }
  if (!options.test.empty()) {
    test = test_pairs(comm, graph->dataset, config, options.test);
    data.held_out = &*test;
  }
  if (!options.truth.empty()) {
    spdlog::info("evaluate: known classes");
    log_input(report_files(comm, {options.truth}, labels_layout()));
    truth = read_labels(comm, result.users, options.truth);
    for (const auto& warning : truth->warnings) spdlog::warn("{}", warning);
    data.truth = &*truth;
    if (truth->unknown_users > 0) {
      spdlog::info("evaluate: not in the result: {} of {}", counted(truth->unknown_users, "user"), options.truth);
    }
  }
  if (options.strategies) {
    say_strategies(comm, options, config, result, graph, data);
    return;
  }
  const auto measures = evaluate(comm, config, result, data);
  say(comm, options.json ? measures.dump(2) + "\n" : evaluation_table(measures));
}

}  // namespace

void add_evaluate_command(CLI::App& program) {
  auto* command = program.add_subcommand("evaluate", "How good a result is; reads segments.h5 and graph.h5 beside it");
  const auto options = std::make_shared<EvaluateOptions>();
  command->add_option("--result", options->result, "The result")->required()->type_name("segments.h5");
  command->add_option("--truth", options->truth, "Known classes: lines of user and class")->type_name("FILE");
  command->add_option("--test", options->test, "Held-out interactions, instead of those in graph.h5")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "One JSON object");
  command->add_flag("--strategies", options->strategies,
                    "Compares the strategies of recommend on the held-out interactions instead");
  add_logging_options(*command);
  command->callback([options] { evaluate_file(*options); });
}

}  // namespace cohort
