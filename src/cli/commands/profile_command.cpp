#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/levels_report.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/profile_report.hpp"
#include "cli/stages/pipeline.hpp"

namespace cohort {

namespace {

std::string with_levels(nlohmann::ordered_json profiles, const SegmentsFile& result) {
  auto levels = levels_json(result);
  if (!levels.empty()) profiles["levels"] = std::move(levels);
  return profiles.dump(2) + "\n";
}

}  // namespace

void add_profile_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "profile", "What characterises the segments; reads graph.h5, adds the profiles to segments.h5");
  const auto options = add_config_options(*command);
  const auto json = std::make_shared<bool>(false);
  const auto csv = std::make_shared<bool>(false);
  auto* json_flag = command->add_flag("--json", *json, "The profiles as one JSON object");
  command->add_flag("--csv", *csv, "The profiles as comma-separated lines")->excludes(json_flag);
  command->callback([=] {
    const Session session(Communicator::world(), *options);
    const auto& comm = session.comm();
    const auto graph = load_graph(session, false);
    auto segments = load_segments(session, graph);
    profile_result(session, graph, read_attribute_tables(session, graph.dataset), segments);
    write_segments(session, segments);
    const auto text = *json  ? with_levels(profile_json(comm, segments), segments)
                      : *csv ? profile_csv(segments)
                             : profile_table(comm, segments) + levels_tree(segments);
    say(comm, text);
  });
}

}  // namespace cohort
