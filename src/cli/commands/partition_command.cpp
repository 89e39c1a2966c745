#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/partition_report.hpp"
#include "cli/stages/checkpoints.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/output_file.hpp"
#include "partition/part_file.hpp"

namespace cohort {

void add_partition_command(CLI::App& program) {
  auto* command =
      program.add_subcommand("partition", "Cuts the graph of graph.h5 into shards; adds the partition to graph.h5");
  const auto options = add_config_options(*command);
  const auto part_file = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("--write-part", *part_file, "Also write the shards as a METIS .part file")->type_name("FILE");
  command->add_flag("--json", *json, "The report as one JSON object");
  command->callback([=] {
    const Session session(Communicator::world(), *options);
    const auto& comm = session.comm();
    comm.attempt([&] {
      if (comm.is_root()) check_output_path(*part_file);
    });
    auto graph = load_graph(session, false);
    const auto stats = partition_graph(session, graph_of(session, graph.dataset), graph);
    warn_of_other_model(session, graph);
    write_graph(session, graph);
    if (!part_file->empty()) write_part_file(comm, *part_file, graph.partition->shard_of);
    say(comm, *json ? partition_json(stats).dump(2) + "\n" : partition_table(stats));
  });
}

}  // namespace cohort
