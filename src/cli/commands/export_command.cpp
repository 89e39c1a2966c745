#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/result_tables.hpp"

namespace cohort {

namespace {

struct ExportOptions {
  std::string file;
  std::string output;
  std::string format;
  std::string what = "users";
};

}  // namespace

void add_export_command(CLI::App& program) {
  auto* command = program.add_subcommand("export", "A result as CSV, JSON lines or Parquet");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("result", options->file, "segments.h5")->required()->type_name("RESULT.h5");
  command->add_option("--format", options->format, "How it is written; told from the ending of --output, else csv")
      ->check(CLI::IsMember({"csv", "jsonl", "parquet"}));
  command
      ->add_option("--what", options->what,
                   "users: id, segment, distance, margin; embedding: these and the embedding; segments; levels: every "
                   "segment of every level; items: id and "
                   "embedding; profile: what marks the segments; recommendations")
      ->check(CLI::IsMember(result_tables()))
      ->capture_default_str();
  command->add_option("--output", options->output, "File to write; standard output unless given")->type_name("FILE");
  add_logging_options(*command);
  command->callback([options] {
    const auto comm = Communicator::world();
    write_result_table(comm, options->file, options->what, table_format(options->format, options->output),
                       options->output);
    if (!options->output.empty()) spdlog::info("wrote {}", options->output);
  });
}

}  // namespace cohort
