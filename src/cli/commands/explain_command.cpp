#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/explanation_report.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/network_explanation_report.hpp"
#include "cli/session.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/result_sources.hpp"
#include "cli/stages/trained_network.hpp"
#include "cli/stored_config.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "graph/node_route.hpp"
#include "graph/user_graph.hpp"
#include "ingest/ids/dictionary.hpp"
#include "store/segments_file.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

struct ExplainOptions {
  std::string result;
  std::string user;
  std::int64_t segment = -1;
  bool json = false;
};

// The id that has most of its beginning in common with `wanted`, ties to the nearest in length, then to the first; ""
// where none has anything. The same on all ranks. Collective.
std::string similar_id(const Communicator& comm, const IdTable& ids, const std::string& wanted) {
  std::int64_t best = -1;
  std::int64_t common = 0;
  std::int64_t off = 0;
  for (std::int64_t i = 0; i < ids.block_size(); ++i) {
    const auto id = ids[i];
    const auto same = std::ranges::mismatch(id, wanted).in1 - id.begin();
    const auto length = std::abs(std::ssize(id) - std::ssize(wanted));
    if (same > common || (same == common && same > 0 && length < off)) {
      best = i;
      common = same;
      off = length;
    }
  }
  const auto longest = comm.max(common);
  if (longest == 0) return "";
  const auto nearest = comm.min(common == longest ? off : std::numeric_limits<std::int64_t>::max());
  const int holder = comm.min(common == longest && off == nearest ? comm.rank() : comm.size());
  return comm.broadcast(comm.rank() == holder ? std::string(ids[best]) : std::string(), holder);
}

std::int64_t number_of_user(const Communicator& comm, const IdTable& users, const std::string& id) {
  require_utf8_argument(id, "--user");
  IdTable wanted;
  wanted.push_back(id);
  const auto number = find_ids(comm, users, wanted).front();
  if (number >= 0) return number;
  const auto similar = similar_id(comm, users, id);
  throw InputError(
      "there is no user " + one_line(id) + " among the " + counted(users.total(), "user") + " of the result" +
      (similar.empty() ? "; ids are as in the input files" : "; one with a similar id is " + one_line(similar)));
}

// The row of the segment that is asked for; -1: of none. Throws InputError where there is none of that number.
std::int32_t row_of_segment(const ExplainOptions& options, const Segments& segments) {
  if (options.segment < 0) return -1;
  const auto count = std::ssize(segments.size);
  for (std::int64_t row = 0; row < count; ++row) {
    if (number_of(segments.number, row) == options.segment) return static_cast<std::int32_t>(row);
  }
  std::string there = " has segments 0 to " + std::to_string(count - 1);
  if (!segments.number.empty()) {
    there = " has segments";
    for (const auto number : segments.number)
      there += (number == segments.number.front() ? " " : ", ") + std::to_string(number);
  }
  throw InputError("there is no segment " + std::to_string(options.segment) + "; " + options.result + there);
}

// The edge weight that graph.weight gives an interaction of weight 1.
double weight_of_one(const GraphConfig& graph) {
  return graph.weight == EdgeWeighting::log ? std::log(2.0) : 1.0;
}

void explain(const ExplainOptions& options) {
  const auto comm = Communicator::world();
  auto threads = choose_threads(0);
  comm.broadcast(std::span<std::int64_t>(&threads, 1));
  prepare_process(comm, threads);

  const auto config = stored_config_of(comm, options.result);
  const auto result = read_segments_file(comm, options.result);
  const auto segment = row_of_segment(options, result.segments);
  const auto user = options.segment >= 0 ? -1 : number_of_user(comm, result.users, options.user);
  const auto sources = read_sources(comm, result, config, options.result);
  const auto blocks = block_graph(comm, sources.graph.dataset, config.graph);
  const auto sharded = shard_graph(comm, blocks, *sources.graph.partition);
  auto labels = node_labels(comm, config, result);
  if (sources.graph.dataset.users_alone) labels.neighbour = "user";
  const auto report = [&](const auto& explanation) {
    say(comm, options.json ? explanation_json(comm, result, labels, explanation).dump(2) + "\n"
                           : explanation_text(comm, result, labels, explanation));
  };
  if (is_network(config.model.encoder)) {
    TrainedNetwork model(comm, config, sources.graph, sharded, sources.model, static_cast<int>(threads));
    const NetworkExplainInput input{&sharded, &model.network, &model.base, &result, by_direction(config)};
    if (user >= 0) {
      report(explain_by_network(comm, input, user));
    } else {
      report(explain_segment_by_network(comm, input, segment));
    }
    return;
  }
  const auto parameters = to_shards(comm, sharded.graph, sources.model.model.parameters().view(),
                                    Distribution::even(blocks.nodes(), comm.size()));
  const auto degree = weighted_degrees(comm, blocks, sharded.graph);

  ExplainInput input{&sharded, parameters.view(), degree, &result};
  const auto form = linear_form(config);
  input.layers = form.layers;
  input.own_rows = form.own_rows;
  input.spherical = by_direction(config);
  input.new_weight = weight_of_one(config.graph);
  if (user >= 0) {
    report(explain_user(comm, input, user));
  } else {
    report(explain_segment(comm, input, segment));
  }
}

}  // namespace

void add_explain_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "explain", "Why a user is in its segment; reads segments.h5, and graph.h5 and model.h5 beside it");
  const auto options = std::make_shared<ExplainOptions>();
  command->add_option("--result", options->result, "The result")->required()->type_name("segments.h5");
  auto* subject = command->add_option_group("subject");
  subject->add_option("--user", options->user, "The id of a user, as in the input")->type_name("ID");
  subject->add_option("--segment", options->segment, "A segment: what holds its users together, on average")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
  subject->require_option(1);
  command->add_flag("--json", options->json, "One JSON object");
  add_logging_options(*command);
  command->callback([options] { explain(*options); });
}

}  // namespace cohort
