#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/stages/interruption_marker.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "store/model_file.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

Json progress_of(const Session& session) {
  const auto& comm = session.comm();
  const auto marker = read_marker(session);
  Json found;
  found["directory"] = session.config().output.directory;
  found["epochs"] = nullptr;
  found["step"] = nullptr;
  if (is_there(comm, session.model_path())) {
    const auto model = read_model_file(comm, session.model_path(), ModelPart::header);
    found["epochs"] = model.model.epochs;
    found["step"] = model.model.step;
  }
  found["result"] = is_there(comm, session.segments_path());
  found["interrupted"] = marker.interrupted;
  found["requeue"] = marker.interrupted && marker.progress;
  if (marker.interrupted) found["how_to_go_on"] = marker.how_to_go_on;
  return found;
}

std::string for_a_person(const Json& found) {
  auto text = fmt::format("{}: ", found["directory"].get<std::string>());
  if (found["epochs"].is_null()) {
    text += "no training is kept";
  } else {
    text += "trained for " + counted(found["epochs"].get<std::int64_t>(), "epoch");
    const auto step = found["step"].get<std::int64_t>();
    if (step > 0) text += " and " + counted(step, "step");
  }
  text += found["result"].get<bool>() ? ", there is a result" : ", there is no result";
  if (!found["interrupted"].get<bool>()) return text + "\n";
  text += "; interrupted: " + found["how_to_go_on"].get<std::string>();
  if (!found["requeue"].get<bool>())
    text += "; it came no further than the run before, and needs more time or more ranks";
  return text + "\n";
}

}  // namespace

void add_progress_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "progress",
      "How far the runs in an output directory have come, and whether to start another one; changes nothing");
  const auto options = add_config_options(*command);
  add_checkpoint_options(*command, options);
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "One JSON object");
  command->callback([options, json] {
    const Session session(Communicator::world(), *options, OutputDirectory::untouched);
    const auto found = progress_of(session);
    say(session.comm(),
        *json ? found.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" : for_a_person(found));
  });
}

}  // namespace cohort
