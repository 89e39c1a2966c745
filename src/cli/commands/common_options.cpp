// The options that commands share.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <limits>

#include "cli/commands/commands.hpp"
#include "cli/output/log_file.hpp"

namespace cohort {

void add_logging_options(CLI::App& command) {
  command.add_flag_callback(
      "-q,--quiet", [] { spdlog::set_level(spdlog::level::warn); }, "Say nothing but warnings and errors");
  command
      .add_option_function<std::string>(
          "--log-level", [](const std::string& level) { spdlog::set_level(spdlog::level::from_str(level)); },
          "How much to say on standard error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->default_str("info");
  command
      .add_option_function<std::string>(
          "--log-file", [](const std::string& path) { log_to_file(Communicator::world(), path); },
          "Appends what is said on standard error to this file too, with dates")
      ->type_name("FILE");
}

std::shared_ptr<ConfigOptions> add_config_options(CLI::App& command) {
  auto options = std::make_shared<ConfigOptions>();
  command.add_option("config", options->file, "Configuration (TOML)")->required()->type_name("CONFIG.toml");
  command.add_option("--set", options->settings, "Overrides a key of the configuration; may be repeated")
      ->type_name("section.key=value")
      ->allow_extra_args(false);
  command
      .add_option("--preset", options->preset,
                  "Settings that come with the program, where the configuration says nothing else: lightgcn, as its "
                  "authors train it")
      ->type_name("NAME");
  add_logging_options(command);
  return options;
}

void add_level_option(CLI::App& command, std::int64_t& level, const std::string& meaning) {
  command.add_option("--level", level, meaning + "; 1 is the coarsest; default: the finest")
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()))
      ->type_name("N");
}

void add_checkpoint_options(CLI::App& command, const std::shared_ptr<ConfigOptions>& options) {
  auto* previous = command.add_flag_callback(
      "--previous", [options] { options->checkpoint = CheckpointChoice::previous; },
      "Train on from model.previous.h5, the checkpoint before the newest, which is dropped");
  command
      .add_flag_callback(
          "--restart", [options] { options->checkpoint = CheckpointChoice::none; },
          "Train from the start, whatever checkpoints there are")
      ->excludes(previous);
}

}  // namespace cohort
