#include "cli/stages/checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "cli/output/logging.hpp"
#include "cli/stages/initial_stage.hpp"
#include "cli/stored_config.hpp"
#include "cli/version.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "store/file_bytes.hpp"
#include "store/graph_hash.hpp"

namespace cohort {

namespace {

// The lines of a configuration as (section.key, value), in the schema's order.
std::vector<std::pair<std::string, std::string>> settings_of(const std::string& toml) {
  std::vector<std::pair<std::string, std::string>> settings;
  std::istringstream lines(toml);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find(" = ");
    if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1) + ".";
    } else if (equals != std::string::npos) {
      settings.emplace_back(section + line.substr(0, equals), line.substr(equals + 3));
    }
  }
  return settings;
}

std::string first_other_line(const std::string& before, const std::string& now) {
  const auto old_settings = settings_of(before);
  const auto new_settings = settings_of(now);
  for (std::size_t i = 0; i < std::max(old_settings.size(), new_settings.size()); ++i) {
    if (i < old_settings.size() && i < new_settings.size()) {
      if (old_settings[i] == new_settings[i]) continue;
      if (old_settings[i].first == new_settings[i].first) {
        return fmt::format("{} is {}, but was {}", new_settings[i].first, new_settings[i].second,
                           old_settings[i].second);
      }
    }
    return i < new_settings.size() ? new_settings[i].first + " was not set" : old_settings[i].first + " is not set";
  }
  return "";
}

struct Generation {
  bool exists = false;
  std::optional<ModelFile> model;      // where it can be used
  std::string problem;                 // where it cannot
  std::optional<std::int64_t> epochs;  // that it holds, where that can be told
};

Generation look(const Session& session, const std::string& path, ModelPart part, const GraphFile* graph) {
  Generation found;
  found.exists = is_there(session.comm(), path);
  if (!found.exists) return found;
  try {
    auto model = read_model_file(session.comm(), path, ModelPart::header);
    found.epochs = model.model.epochs;
    found.problem = why_other_model(session, model, path, graph);
    if (!found.problem.empty()) return found;
    if (part != ModelPart::header) model = read_model_file(session.comm(), path, part);
    found.model = std::move(model);
  } catch (const InputError& error) {
    found.problem = error.what();
  }
  return found;
}

// Slurm starts a requeued job again with the line that it was submitted with, and nobody there to answer.
bool is_requeued(const Communicator& comm) {
  const char* text = std::getenv("SLURM_RESTART_COUNT");
  std::int64_t count = 0;
  if (text) std::from_chars(text, text + std::strlen(text), count);
  return comm.any(comm.is_root() && count > 0);
}

std::string held(const Generation& generation) {
  return generation.epochs ? counted(*generation.epochs, "epoch") : "an unknown number of epochs";
}

// take: whether training goes on from what is chosen, or it is only to be seen that it could.
std::optional<ModelFile> choose(const Session& session, const GraphFile* graph, const TrainTarget& target,
                                ModelPart part, bool take) {
  const auto& comm = session.comm();
  const auto choice = session.checkpoint();
  const auto previous_path = previous_model_path(target.path);
  auto newest = look(session, target.path, part, graph);
  if (!newest.exists && !is_there(comm, previous_path)) return std::nullopt;
  const bool requeued = is_requeued(comm);
  // A requeued job's own checkpoints came after the choice.
  if (newest.model && (choice == CheckpointChoice::newest || requeued)) return std::move(newest.model);
  if (choice == CheckpointChoice::none) {
    if (take) spdlog::info("  --restart: {} with {} is left aside", target.path, held(newest));
    return std::nullopt;
  }
  auto previous = look(session, previous_path, part, graph);
  if (choice == CheckpointChoice::previous && !previous.exists && newest.model) return std::move(newest.model);
  if ((choice == CheckpointChoice::previous || requeued) && previous.model) {
    if (take) {
      if (!newest.problem.empty()) spdlog::warn("{}", newest.problem);
      spdlog::warn("taking {} with {} instead of {}", previous_path, held(previous), target.path);
      // From here on it is the newest, or the one that cannot be used would take its place.
      comm.attempt([&] {
        if (comm.is_root()) rename_durably(previous_path, target.path);
      });
    }
    return std::move(previous.model);
  }
  if (choice == CheckpointChoice::previous && previous.exists) {
    throw InputError(previous.problem + "; --restart begins anew");
  }
  const auto way_back = previous.model
                            ? fmt::format("--previous goes on from {} with {}", previous_path, held(previous))
                        : previous.exists ? fmt::format("{} cannot be used either", previous_path)
                                          : fmt::format("there is no {}", previous_path);
  if (!newest.exists) throw InputError(fmt::format("there is no {}: {}, --restart begins anew", target.path, way_back));
  throw InputError(
      fmt::format("{}. Training neither goes on from it nor overwrites it ({}): {}, --restart begins anew, "
                  "and another output.directory keeps both",
                  newest.problem, held(newest), way_back));
}

// A model that nobody asked for by name costs time, nothing else: where it does not fit it is made anew.
std::optional<ModelFile> load_derived(const Session& session, const GraphFile& graph, const TrainTarget& target) {
  auto found = look(session, target.path, ModelPart::checkpoint, &graph);
  if (found.model && found.model->model.epochs <= target.epochs) return std::move(found.model);
  if (found.exists) spdlog::info("  {} is made anew", found.problem.empty() ? target.path : found.problem);
  return std::nullopt;
}

}  // namespace

std::string first_other_setting(const Config& before, const Config& now) {
  return first_other_line(model_settings(before), model_settings(now));
}

std::string why_other_model(const Session& session, const ModelFile& model, const std::string& path,
                            const GraphFile* graph) {
  const auto& comm = session.comm();
  const auto setting = first_other_setting(stored_config(model.provenance, path), session.config());
  if (!setting.empty()) return path + " was trained with other settings: " + setting;
  if (auto problem = why_other_initial(session, model.provenance.follows); !problem.empty()) return problem;
  if (!graph) return "";
  const auto& before = model.provenance.inputs;
  const auto& now = graph->provenance.inputs;
  if (before.size() != now.size()) {
    return fmt::format("{} was trained on {}, now there {} {}", path, counted(std::ssize(before), "input file"),
                       noun(std::ssize(now), "is", "are"), now.size());
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (before[i].sha256 != now[i].sha256) return fmt::format("{} was trained on another {}", path, now[i].path);
  }
  if (model.graph_hash != graph_hash(comm, graph->dataset)) return path + " was trained on another graph";
  if (graph->partition && model.partition_hash != partition_hash(comm, *graph->partition)) {
    return path + " was trained on another partition of the graph";
  }
  return "";
}

std::optional<ModelFile> load_checkpoint(const Session& session, const GraphFile& graph, const TrainTarget& target) {
  if (target.derived) return load_derived(session, graph, target);
  auto model = choose(session, &graph, target, ModelPart::checkpoint, true);
  if (!model) return model;
  if (model->model.epochs > target.epochs) {
    spdlog::info("  {} holds {}, more than the {} that are asked for: it is used as it is", target.path,
                 counted(model->model.epochs, "epoch"), target.epochs);
  }
  if (model->provenance.git_revision != git_revision()) {
    spdlog::warn("{} was written by cohort {} ({}), this is cohort {} ({})", target.path,
                 model->provenance.cohort_version, model->provenance.git_revision, version(), git_revision());
  }
  return model;
}

bool check_checkpoint(const Session& session, const GraphFile* graph, const TrainTarget& target) {
  const auto part = graph ? ModelPart::checkpoint : ModelPart::header;
  return choose(session, graph, target, part, false).has_value();
}

void warn_of_other_model(const Session& session, const GraphFile& graph) {
  const auto found = look(session, session.model_path(), ModelPart::header, &graph);
  if (!found.exists || found.model) return;
  spdlog::warn("{}; training on the graph that is written now needs --restart", found.problem);
}

}  // namespace cohort
