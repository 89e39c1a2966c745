#include <CLI/CLI.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/session.hpp"
#include "core/stopwatch.hpp"
#include "generate/population.hpp"

namespace cohort {

namespace {

struct GenerateOptions {
  PopulationOptions population;
  std::string directory;
};

void generate(const GenerateOptions& options) {
  const auto comm = Communicator::world();
  auto threads = choose_threads(0);
  comm.broadcast(std::span<std::int64_t>(&threads, 1));
  prepare_process(comm, threads);
  const Stopwatch stopwatch;
  const auto& population = options.population;
  spdlog::info("generate: {} in {}, {}, {}, {}", counted(population.users, "user"),
               counted(population.segments, "segment"), counted(population.items, "item"),
               counted(population.interactions, "interaction"), counted(population.social, "friendship"));
  generate_population(comm, population, options.directory);
  spdlog::info("generate: {:.1f} s; next: cohort run {}/config.toml", stopwatch.seconds(), options.directory);
}

}  // namespace

void add_generate_command(CLI::App& program) {
  auto* command =
      program.add_subcommand("generate", "Makes up a population with planted segments, and a configuration to run");
  const auto options = std::make_shared<GenerateOptions>();
  auto& population = options->population;
  const auto option = [&](const char* name, auto& value, const char* meaning) {
    return command->add_option(name, value, meaning)->capture_default_str();
  };
  option("--users", population.users, "Users");
  option("--items", population.items, "Items");
  option("--interactions", population.interactions, "Different pairs of user and item");
  option("--segments", population.segments, "Planted segments, largest to smallest 5:1");
  option("--noise", population.noise, "Share of the interactions that the segment has no part in, 0 to 1");
  option("--social", population.social, "Friendships");
  option("--seed", population.seed, "Of every random number");
  command->add_option("--output", options->directory, "Directory for the files")->required()->type_name("DIR");
  add_logging_options(*command);
  command->callback([options] { generate(*options); });
}

}  // namespace cohort
