#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "assign/assignment.hpp"
#include "assign/live_assigner.hpp"
#include "assign/network_assignment.hpp"
#include "assign/newcomers.hpp"
#include "cli/commands/commands.hpp"
#include "cli/output/answer_lines.hpp"
#include "cli/output/assign_stream.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/output/text_output.hpp"
#include "cli/session.hpp"
#include "cli/stages/level_stage.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/result_sources.hpp"
#include "cli/stages/trained_network.hpp"
#include "cli/stored_config.hpp"
#include "core/config_schema.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "core/stopwatch.hpp"
#include "graph/user_graph.hpp"
#include "ingest/records/pair_reader.hpp"
#include "store/segments_file.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

struct AssignCommand {
  std::string result;
  std::vector<std::string> interactions;
  std::vector<std::string> social;
  std::vector<std::string> features;  ///< of users
  std::string feature_ids;
  std::string format;  ///< empty: as the result's input
  std::string output;  ///< empty: standard output
  std::int64_t count = 20;
  std::int64_t level = 0;
  bool csv = false;
  bool stream = false;
};

constexpr std::int64_t users_at_a_time = 1024;
constexpr std::size_t bytes_at_a_time = std::size_t{16} << 20;

// This rank's answers, in the order of its users.
std::vector<std::string> format_answers(const Newcomers& newcomers, const Assignment& assignment,
                                        const AnswerLines& lines) {
  const auto users = newcomers.users.block_size();
  std::vector<std::string> parts((users + users_at_a_time - 1) / users_at_a_time);
  for_each_in_parallel(std::ssize(parts), [&](std::int64_t part) {
    auto& text = parts[part];
    for (auto user = part * users_at_a_time; user < std::min(users, (part + 1) * users_at_a_time); ++user) {
      const auto u = static_cast<std::size_t>(user);
      const auto begin = assignment.best_begin[u];
      text += lines.line({newcomers.users[user], assignment.placement[u],
                          places_of(newcomers.edges.row_begin, u).size(), newcomers.unknown[u],
                          std::span(assignment.best).subspan(begin, assignment.best_begin[u + 1] - begin)});
    }
  });
  return parts;
}

// Rank by rank, in pieces of bounded size. Collective.
void write_answers(const Communicator& comm, const std::string& path, const std::string& header,
                   const std::vector<std::string>& parts) {
  TextOutput output(comm, path);
  output.write_once(header);
  std::size_t next = 0;
  output.write([&](std::string& piece) {
    while (next < parts.size() && (piece.empty() || piece.size() + parts[next].size() <= bytes_at_a_time)) {
      piece += parts[next++];
    }
    return next < parts.size();
  });
  output.commit();
}

// How the users of files are placed, by the encoder that made the result.
struct Placing {
  std::vector<std::int64_t> item_users;         // of this rank's block of items
  std::function<void(const Newcomers&)> check;  // throws InputError where they are none that can be placed
  std::function<Assignment(const Newcomers&)> place;
};

// Collective, as below.
Placing by_fold_in(const Communicator& comm, const SegmentsFile& result, const std::string& path,
                   const AssignOptions& options) {
  check_fold_in(comm, result, path);
  return {result.fold_in->users, [](const Newcomers& /*newcomers*/) {},
          [&](const Newcomers& newcomers) { return assign(comm, result, newcomers, options); }};
}

Placing by_network(const Communicator& comm, const SegmentsFile& result, const Config& config,
                   const AssignCommand& command, const AssignOptions& options, std::int64_t threads) {
  const auto sources = std::make_shared<const ResultSources>(read_sources(comm, result, config, command.result));
  const auto& dataset = sources->graph.dataset;
  return {users_of_items(comm, dataset, config.graph),
          [&command, &config, sources](const Newcomers& newcomers) {
            check_newcomer_features(sources->graph.dataset, newcomers.features, command.features,
                                    config.input.user_features);
          },
          [&comm, &result, config, options, threads, sources](const Newcomers& newcomers) {
            const auto& graph = sources->graph;
            const auto blocks = block_graph(comm, graph.dataset, config.graph);
            const auto sharded = shard_graph(comm, blocks, *graph.partition);
            TrainedNetwork model(comm, config, graph, sharded, sources->model, static_cast<int>(threads));
            return assign_by_network(
                comm, {&result, &graph.dataset, config.graph, &sharded, &model.features, &model.network, &model.base},
                newcomers, options);
          }};
}

void log_newcomers(const Newcomers& newcomers, const AssignCommand& command) {
  for (const auto* read : {&newcomers.read, &newcomers.social}) {
    for (const auto& warning : read->warnings) spdlog::warn("{}", warning);
    for (const auto& report : read->bad_line_reports) spdlog::warn("passed over: {}", report);
  }
  if (command.interactions.empty()) {
    spdlog::info("assign: {}", counted(newcomers.users.total(), "user"));
  } else {
    spdlog::info("assign: {}, {} with items that the model knows", counted(newcomers.users.total(), "user"),
                 counted(newcomers.known_pairs, "interaction"));
  }
  if (newcomers.unknown_pairs > 0) {
    spdlog::info("  {} with {} that it does not know left out", counted(newcomers.unknown_pairs, "interaction"),
                 counted(newcomers.unknown_items, "item"));
  }
  if (!command.social.empty()) {
    spdlog::info("  {} with users that the model knows, {} with others left out",
                 counted(newcomers.known_friends, "friendship"), with_commas(newcomers.unknown_friends));
  }
  if (newcomers.passed_over > 0) {
    spdlog::info("  {} of features of users of the graph passed over, whom no other file names",
                 counted(newcomers.passed_over, "row"));
  }
}

void assign_files(const Communicator& comm, const AssignCommand& command, const SegmentsFile& result,
                  const Config& config, const Placing& placing) {
  const Stopwatch stopwatch;
  NewcomerFiles files{config.input, config.clean, config.graph};
  files.input.interactions = command.interactions;
  files.input.social = command.social;
  files.input.user_features = command.features;
  files.input.user_feature_ids = command.feature_ids;
  if (!command.format.empty()) {
    const auto& words = words_of("input.format");
    files.input.format = static_cast<InputFormat>(std::ranges::find(words, command.format) - words.begin());
    files.input.columns.clear();
    files.input.header.reset();
    files.input.separator = "auto";
  }
  const auto report = [&](const std::vector<std::string>& paths, LayoutRequest layout) {
    if (paths.empty()) return;
    layout.settable = false;  // the configuration is the result's
    layout.has_format_option = true;
    log_input(report_files(comm, paths, layout));
  };
  report(files.input.interactions, interactions_layout(files.input));
  report(files.input.social, social_layout(files.input));
  const auto newcomers = read_newcomers(comm, files, {&result.users, &result.items, &placing.item_users});
  placing.check(newcomers);
  const auto assignment = placing.place(newcomers);
  const auto without =
      comm.sum(std::ranges::count_if(assignment.placement, [](const Placement& p) { return p.segment < 0; }));
  const auto form = command.csv ? AnswerLines::Format::csv : AnswerLines::Format::json;
  std::vector<std::int64_t> written;
  comm.attempt([&] { std::ranges::transform(assignment.best, std::back_inserter(written), &ScoredItem::item); });
  const std::array<std::span<const std::int64_t>, 1> lists{written};
  const AnswerLines lines(form, ItemNames(comm, result.items, lists, AnswerLines::quotes(form)), command.count,
                          numbers_of_level(result.segments, command.level));
  std::vector<std::string> parts;
  std::string header;
  comm.attempt([&] {
    header = lines.header();
    parts = format_answers(newcomers, assignment, lines);
  });
  write_answers(comm, command.output, header, parts);
  log_newcomers(newcomers, command);
  if (without > 0) {
    spdlog::info("  {} without {} of the model: no basis{}", counted(without, "user"),
                 command.social.empty() ? "an item" : "an item or a friend",
                 result.items.total() > 0 ? ", popular items" : "");
  }
  spdlog::info("assign: {:.1f} s", stopwatch.seconds());
}

// A user of the stream, whom nothing but items joins to the graph.
EmbedUser embed_by_network(NetworkPlacer& placer) {
  return [&placer](std::string_view user, std::span<const LocalRow> item, std::span<const float> weight,
                   MatrixView embedding) {
    IdTable users;
    users.push_back(user);
    users.distribution = Distribution::even(1, 1);
    PairTable items;
    for (const LocalRow row : item) items.other.push_back(row.value);
    items.weight.assign(weight.begin(), weight.end());
    items.row_begin = {0, items.size()};
    PairTable friends;
    friends.row_begin = {0, 0};
    const auto embedded = placer.embed(users, items, friends, {});
    std::copy_n(embedded.rows.row(0), embedding.stride, embedding.row(0));
    return embedded.has_basis.front() != 0;
  };
}

void answer_lines(LiveAssigner& assigner, const SegmentsFile& result, const AssignOptions& options) {
  constexpr auto form = AnswerLines::Format::json;
  const AnswerLines lines(form, ItemNames(result.items, AnswerLines::quotes(form)), options.count,
                          numbers_of_level(result.segments, options.level));
  spdlog::info("assign: ready, {}, {}", counted(result.items.total(), "item"),
               counted(std::ssize(result.segments.size), "segment"));
  const auto latency = answer_stream(assigner, lines);
  spdlog::info("assign: {} answered, half of them within {:.3f} ms (p50), 99 % within {:.3f} ms (p99)",
               counted(latency.lines, "line"), 1e3 * latency.p50, 1e3 * latency.p99);
}

void assign_stream(const Communicator& comm, const SegmentsFile& result, const Config& config,
                   const AssignCommand& command, const AssignOptions& options, std::int64_t threads) {
  if (!is_network(config.model.encoder)) {
    check_fold_in(comm, result, command.result);
    LiveAssigner assigner(comm, result, result.fold_in->users, embed_by_fold_in(result), config.graph, options,
                          config.clean.repeats);
    answer_lines(assigner, result, options);
    return;
  }
  const auto sources = read_sources(comm, result, config, command.result);
  const auto& graph = sources.graph;
  const auto blocks = block_graph(comm, graph.dataset, config.graph);
  const auto sharded = shard_graph(comm, blocks, *graph.partition);
  TrainedNetwork model(comm, config, graph, sharded, sources.model, static_cast<int>(threads));
  NetworkPlacer placer(comm,
                       {&result, &graph.dataset, config.graph, &sharded, &model.features, &model.network, &model.base});
  LiveAssigner assigner(comm, result, users_of_items(comm, graph.dataset, config.graph), embed_by_network(placer),
                        config.graph, options, config.clean.repeats);
  answer_lines(assigner, result, options);
}

// Before anything else is read.
void check_inputs(const Config& config, const AssignCommand& command) {
  const auto& path = command.result;
  if (!is_network(config.model.encoder)) {
    if (command.social.empty() && command.features.empty()) return;
    throw InputError(path + " was made with model.encoder = \"" +
                     std::string(word_of("model.encoder", config.model.encoder)) +
                     "\", which places users by their interactions alone; " +
                     (command.social.empty() ? "--user-features is" : "--social is") + " for networks (gcn, sage)");
  }
  const auto& trained = config.input.user_features;
  if ((command.stream || !command.interactions.empty()) && config.input.interactions.empty()) {
    throw InputError(path +
                     " has no items: its network was trained on friendships, and new users are placed by theirs" +
                     (trained.empty() ? "" : " and their features") +
                     (command.stream ? ", while a line of --stream has items alone" : "") + ": give --social FILE" +
                     (trained.empty() ? "" : " and --user-features FILE"));
  }
  if (!command.features.empty() && command.features.size() != trained.size()) {
    throw InputError("--user-features names " + counted(std::ssize(command.features), "file") +
                     ", but the network of " + path +
                     (trained.empty() ? " reads no features of users"
                                      : " was trained on " + std::to_string(trained.size()) +
                                            "; give the same ones of the new users, in the order of training"));
  }
}

void run_assign(const AssignCommand& command) {
  const auto comm = Communicator::world();
  comm.attempt([&] {
    if (command.stream && comm.size() > 1) {
      throw InputError("assign --stream answers from one process, but was started on " + std::to_string(comm.size()) +
                       " ranks; start it without mpirun, as often as is needed");
    }
  });
  comm.attempt([&] {
    if (comm.is_root()) check_output_path(command.output);
  });
  auto threads = choose_threads(0);
  comm.broadcast(std::span<std::int64_t>(&threads, 1));
  prepare_process(comm, threads);
  const auto config = stored_config_of(comm, command.result);
  check_inputs(config, command);
  const auto result = read_segments_file(comm, command.result);
  comm.attempt([&] { check_level(result.segments, command.level, command.result); });
  const AssignOptions options{by_direction(config), command.count, command.level};
  if (command.stream) {
    assign_stream(comm, result, config, command, options, threads);
  } else {
    assign_files(comm, command, result, config,
                 is_network(config.model.encoder) ? by_network(comm, result, config, command, options, threads)
                                                  : by_fold_in(comm, result, command.result, options));
  }
}

}  // namespace

void add_assign_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "assign", "Segments and recommendations of new or changed users, from their interactions, without training");
  const auto options = std::make_shared<AssignCommand>();
  command->add_option("--result", options->result, "The segments to place users in")
      ->required()
      ->type_name("segments.h5");
  auto* files = command->add_option("--interactions", options->interactions, "Files of the users' interactions")
                    ->type_name("FILE");
  auto* social =
      command
          ->add_option("--social", options->social, "Files of their friendships with users of the graph, for networks")
          ->type_name("FILE");
  auto* features = command
                       ->add_option("--user-features", options->features,
                                    "Files of their features, as input.user_features, in the order of training")
                       ->type_name("FILE");
  auto* feature_ids = command
                          ->add_option("--user-feature-ids", options->feature_ids,
                                       "Whose the rows of arrays of features are, one id a line")
                          ->needs(features)
                          ->type_name("FILE");
  const auto& formats = words_of("input.format");
  auto* format = command
                     ->add_option("--format", options->format,
                                  "How the files are written; default: format and columns of the result's own input")
                     ->check(CLI::IsMember(std::vector<std::string>(formats.begin(), formats.end())));
  auto* output = command->add_option("--output", options->output, "Default: standard output")->type_name("FILE");
  command->add_option("--count", options->count, "Recommendations a user")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  add_level_option(*command, options->level, "Of nested segments (segment.levels): in which level's users are placed");
  auto* json = command->add_flag("--json")->description("A JSON object a line (default)");
  auto* csv = command->add_flag("--csv", options->csv, "CSV with a header")->excludes(json);
  auto* stream = command->add_flag("--stream", options->stream,
                                   "Answer JSON lines {\"user\": ID, \"items\": [ID or {\"item\": ID, \"weight\": W}, "
                                   "...]} on standard input, one by one, until it ends");
  for (auto* option : {files, social, features, feature_ids, format, output, csv}) stream->excludes(option);
  add_logging_options(*command);
  command->callback([options] {
    if (!options->stream && options->interactions.empty() && options->social.empty() && options->features.empty()) {
      throw InputError("assign needs --interactions FILE... or --stream; of networks also --social or --user-features");
    }
    run_assign(*options);
  });
}

}  // namespace cohort
