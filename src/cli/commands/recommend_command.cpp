#include <CLI/CLI.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/recommend_output.hpp"
#include "cli/stages/level_stage.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/output_file.hpp"

namespace cohort {

void add_recommend_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "recommend", "The best items of every user and segment; reads graph.h5 and segments.h5, adds to segments.h5");
  const auto options = add_config_options(*command);
  const auto strategy = std::make_shared<std::string>();
  const auto csv = std::make_shared<std::string>();
  const auto json_lines = std::make_shared<std::string>();
  const auto level = std::make_shared<std::int64_t>(0);
  command->add_option("--strategy", *strategy, "Instead of recommend.strategy");
  add_level_option(
      *command, *level,
      "Of nested segments (segment.levels): whose taste the users' lists know, and whose lists are written "
      "as text");
  auto* const csv_option = command->add_option("--csv", *csv, "Also write the lists as CSV")->type_name("FILE");
  command->add_option("--jsonl", *json_lines, "Also write the lists as JSON lines")
      ->type_name("FILE")
      ->excludes(csv_option);
  command->callback([options, strategy, csv, json_lines, level] {
    if (!strategy->empty()) options->settings.push_back("recommend.strategy=" + *strategy);
    const Session session(Communicator::world(), *options);
    const auto& path = csv->empty() ? *json_lines : *csv;
    session.comm().attempt([&] {
      if (session.comm().is_root()) check_output_path(path);
    });
    const auto graph = load_graph(session, false);
    auto result = load_segments(session, graph);
    check_level(result.segments, *level, session.segments_path());
    recommend_items(session, graph, read_allowed_items(session, graph.dataset), result, *level);
    write_segments(session, result);
    if (path.empty()) return;
    write_recommendation_lists(session.comm(), result, csv->empty() ? ListFormat::json_lines : ListFormat::csv, path);
    spdlog::info("wrote {}", path);
  });
}

}  // namespace cohort
