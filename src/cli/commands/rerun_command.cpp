#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stored_config.hpp"
#include "cli/version.hpp"
#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "core/words.hpp"
#include "ingest/files/sha256.hpp"
#include "kernels/dispatch.hpp"
#include "store/h5.hpp"
#include "store/provenance.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

struct RerunOptions {
  std::string file;
  std::string directory;
};

// What ranks measured, and what a file lacks that was made stage by stage and not by all of them.
const std::vector<std::string> measured{schema::timing, schema::traffic};
const std::vector<std::string> of_last_stages{"segments/profile", "segments/recommendations", "users/recommendations"};

struct Original {
  Provenance provenance;
  std::int64_t epochs = 0;
  std::vector<InputFile> attributes;
  std::int64_t level = 0;  ///< of nested segments, whose taste the users' lists know
};

// Throws where an input is not what the file was made from. Collective.
void check_inputs(const Communicator& comm, const std::string& file, const std::vector<InputFile>& inputs) {
  std::vector<std::string> paths;
  for (const auto& input : inputs) paths.push_back(input.path);
  const auto found = describe_files(comm, paths);
  std::string changed;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (found[i].sha256 == inputs[i].sha256) continue;
    changed += fmt::format("{}{} (SHA-256 {}..., now {}...)", changed.empty() ? "" : ", ", inputs[i].path,
                           inputs[i].sha256.substr(0, 12), found[i].sha256.substr(0, 12));
  }
  if (!changed.empty()) {
    throw InputError("an input of " + file + " has changed since: " + changed +
                     "; put the old one back to run it again");
  }
}

// The directory of the new run: the one asked for, which stays, or one beside the file, since all nodes see that place,
// which goes again.
class RunDirectory {
 public:
  RunDirectory(const Communicator& comm, const RerunOptions& options) : comm_(comm), path_(options.directory) {
    comm_.attempt([&] {
      if (!comm_.is_root()) return;
      if (!path_.empty()) {
        if (std::filesystem::exists(std::filesystem::path(path_) / "model.h5") ||
            std::filesystem::exists(std::filesystem::path(path_) / "segments.h5")) {
          throw InputError(path_ + " already holds a run; give --output an empty directory");
        }
        return;
      }
      auto name = (std::filesystem::absolute(options.file).parent_path() / "rerun-XXXXXX").string();
      if (!::mkdtemp(name.data())) {
        throw InputError("cannot make a directory beside " + options.file + ": " + std::strerror(errno) +
                         "; name one with --output");
      }
      path_ = name;
      temporary_ = true;
    });
    path_ = comm_.broadcast(path_);
  }
  ~RunDirectory() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  const Communicator& comm_;
  std::string path_;
  bool temporary_ = false;  // on rank 0, which made it
};

Original read_original(const Communicator& comm, const std::string& path) {
  // All of it, or a file of which something is missing would be the same as far as it goes.
  const auto result = read_segments_file(comm, path, SegmentsPart::everything);
  Original original{result.provenance, result.epochs, {}, result.recommendations ? result.recommendations->level : 0};
  comm.attempt([&] {
    if (!result.profiles) return;
    for (std::size_t i = 0; i < result.profiles->attribute_file.size(); ++i) {
      auto& table = original.attributes.emplace_back();
      table.path = result.profiles->attribute_file[i];
      table.sha256 = result.profiles->attribute_sha256[i];
    }
  });
  return original;
}

std::string joined(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) result += (result.empty() ? "/" : ", /") + name;
  return result;
}

// Also where a level of nested segments has such a group.
bool is_below(const std::string& name, const std::string& group) {
  if (name.starts_with(group + "/") || name == schema::level_smoothing) return true;
  const auto last = group.substr(group.find('/'));  // "/profile"
  return name.starts_with(std::string(schema::levels) + "/") &&
         (name.find(last + "/") != std::string::npos || name.find("/added/") != std::string::npos);
}

// Names that are in `names` without those below one of `groups`, which are appended to `taken`.
std::vector<std::string> without(std::vector<std::string> names, const std::vector<std::string>& groups,
                                 std::vector<std::string>& taken) {
  std::erase_if(names, [&](const std::string& name) {
    for (const auto& group : groups) {
      if (!is_below(name, group)) continue;
      taken.push_back(name);
      return true;
    }
    return false;
  });
  return names;
}

void report(const Communicator& comm, const std::string& path, const h5::Differences& found) {
  std::vector<std::string> passed_over;
  const auto only_old = without(found.only_first, of_last_stages, passed_over);
  const auto only_new = without(found.only_second, of_last_stages, passed_over);
  if (!passed_over.empty()) {
    spdlog::info("rerun: in one of the two files only, of the stages profile and recommend: {}", joined(passed_over));
  }
  if (found.differ.empty() && only_old.empty() && only_new.empty()) {
    say(comm, fmt::format("identical: {} with the same bits as in {}\n", counted(found.same, "dataset"), path));
    return;
  }
  std::string message = "the new run is not the same as " + path + ":";
  if (!found.differ.empty()) message += " other bits in " + joined(found.differ) + ";";
  if (!only_old.empty()) message += " not made again: " + joined(only_old) + ";";
  if (!only_new.empty()) message += " not there before: " + joined(only_new) + ";";
  throw RunError(message + " the same bits in " + counted(found.same, "dataset"));
}

void rerun(const RerunOptions& options) {
  const auto comm = Communicator::world();
  const Stopwatch stopwatch;
  const auto [provenance, epochs, attributes, level] = read_original(comm, options.file);
  auto config = stored_config(provenance, options.file);
  check_inputs(comm, options.file, provenance.inputs);
  check_inputs(comm, options.file, provenance.follows);
  check_inputs(comm, options.file, attributes);
  const RunDirectory directory(comm, options);
  // A budget of time ends training at an epoch that another run would not meet; the file says at which.
  config.train.minutes = 0;
  config.train.epochs = epochs;
  config.output.directory = directory.path();
  const Session session(comm, config);
  spdlog::info("rerun: {} was made by cohort {} ({}) on {}", options.file, provenance.cohort_version,
               provenance.git_revision, counted(provenance.ranks, "rank"));
  if (provenance.git_revision != git_revision()) spdlog::warn("this is cohort {} ({})", version(), git_revision());
  if (provenance.vector_target != vector_target()) {
    spdlog::warn("it was made with {} instructions, this run uses {}: bits may differ", provenance.vector_target,
                 vector_target());
  }
  run_pipeline(session, level);
  const h5::Reader old_file(comm, options.file);
  const h5::Reader new_file(comm, session.segments_path());
  spdlog::info("rerun: {:.1f} s", stopwatch.seconds());
  report(comm, options.file, h5::compare_datasets(comm, old_file, new_file, measured));
}

}  // namespace

void add_rerun_command(CLI::App& program) {
  auto* command = program.add_subcommand(
      "rerun", "Runs again from the inputs and the configuration that a result names, and compares the bits");
  const auto options = std::make_shared<RerunOptions>();
  command->add_option("result", options->file, "segments.h5")->required()->type_name("segments.h5");
  command
      ->add_option("--output", options->directory,
                   "Directory that keeps the new run; unless given, one beside the file, which is removed")
      ->type_name("DIR");
  add_logging_options(*command);
  command->callback([options] { rerun(*options); });
}

}  // namespace cohort
