// The commands. Each add_... puts one subcommand on the program, which runs while the command line is parsed; all its
// ranks parse the same line, so commands run collectively. What they throw is main's to report.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/config_options.hpp"

namespace CLI {
class App;
}

namespace cohort {

void add_run_command(CLI::App& program);
void add_prepare_command(CLI::App& program);
void add_partition_command(CLI::App& program);
void add_plan_command(CLI::App& program);
void add_train_command(CLI::App& program);
void add_segment_command(CLI::App& program);
void add_recommend_command(CLI::App& program);
void add_profile_command(CLI::App& program);
void add_explain_command(CLI::App& program);
void add_evaluate_command(CLI::App& program);
void add_assign_command(CLI::App& program);
void add_progress_command(CLI::App& program);
void add_info_command(CLI::App& program);
void add_init_command(CLI::App& program);
void add_generate_command(CLI::App& program);
void add_compare_command(CLI::App& program);
void add_export_command(CLI::App& program);
void add_rerun_command(CLI::App& program);

/// --quiet and --log-level, which every command takes.
void add_logging_options(CLI::App& command);

/// The configuration file and --set, for the commands that take one. Filled once the line is parsed.
std::shared_ptr<ConfigOptions> add_config_options(CLI::App& command);

/// --level, counted from 1, the coarsest of nested segments; `level` is left alone where it is not given, and must live
/// until the line is parsed.
void add_level_option(CLI::App& command, std::int64_t& level, const std::string& meaning);

/// --previous and --restart, for the commands that train.
void add_checkpoint_options(CLI::App& command, const std::shared_ptr<ConfigOptions>& options);

}  // namespace cohort
