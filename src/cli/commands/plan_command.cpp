#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/network_option.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/plan_report.hpp"
#include "cli/stages/plan_stage.hpp"

namespace cohort {

void add_plan_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "plan", "Predicts seconds, traffic and memory of training on numbers of ranks; reads graph.h5, writes nothing");
  const auto options = add_config_options(*command);
  const auto plan = std::make_shared<PlanOptions>();
  const auto network = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("--ranks", plan->ranks, "Numbers of ranks, as in 64,256,1024")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("N,...")
      ->check(CLI::Range(1, INT32_MAX));
  command
      ->add_option("--network", *network,
                   "Between machines of a rank each, as in \"100Gb,2us\"; without it, all ranks share a machine")
      ->type_name("RATE,LATENCY");
  command->add_flag("--json", *json, "The plan as one JSON object");
  command->callback([=] {
    if (!network->empty()) plan->network = parse_network(*network);
    const Session session(Communicator::world(), *options, OutputDirectory::untouched);
    const auto result = plan_training(session, *plan);
    say(session.comm(), *json ? plan_json(result).dump(2) + "\n" : plan_table(result));
  });
}

}  // namespace cohort
