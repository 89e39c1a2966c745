#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "cli/commands.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/file_call.hpp"
#include "ingest/other_formats.hpp"

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
}

std::shared_ptr<ConfigOptions> add_config_options(CLI::App& command) {
  auto options = std::make_shared<ConfigOptions>();
  command.add_option("config", options->file, "Configuration (TOML)")->required()->type_name("CONFIG.toml");
  command.add_option("--set", options->settings, "Overrides a key of the configuration; may be repeated")
      ->type_name("section.key=value")
      ->allow_extra_args(false);
  add_logging_options(command);
  return options;
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

namespace {

// None where it cannot be opened; errno says why.
std::optional<std::string> read_text(const std::string& path) {
  const FileCall call("read", path);
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::ostringstream content;
  content << stream.rdbuf();
  if (stream.bad() || content.bad()) throw InputError("cannot read the configuration " + path + " to its end");
  return content.str();
}

}  // namespace

Config load_config(const Communicator& comm, const ConfigOptions& options) {
  std::string text;
  std::string directory;
  comm.attempt([&] {
    if (!comm.is_root()) return;
    if (std::filesystem::is_directory(options.file)) throw InputError(options.file + " is a directory");
    auto read = read_text(options.file);
    if (!read) throw InputError("cannot read the configuration " + options.file + ": " + std::strerror(errno));
    text = std::move(*read);
    if (text.starts_with("\x1F\x8B")) throw InputError(options.file + " is compressed with gzip; unpack it first");
    refuse_binary(text, options.file);
    directory = std::filesystem::absolute(options.file).parent_path().string();
  });
  text = comm.broadcast(text);
  directory = comm.broadcast(directory);
  // A rank without the file has no part in it; one with another file would be believed to have had its say.
  comm.attempt([&] {
    if (comm.is_root() || std::filesystem::is_directory(options.file)) return;
    if (const auto here = read_text(options.file); here && *here != text) {
      throw InputError("rank " + std::to_string(comm.rank()) + ", on " + host_name() + ", has another configuration " +
                       options.file + " than rank 0; all nodes must see the same file");
    }
  });
  Config config;
  comm.attempt([&] { config = parse_config(text, options.file, directory, options.settings); });
  return config;
}

}  // namespace cohort
