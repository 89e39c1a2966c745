#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/commands.hpp"
#include "core/error.hpp"
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

Config load_config(const Communicator& comm, const ConfigOptions& options) {
  std::string text;
  comm.attempt([&] {
    if (!comm.is_root()) return;
    if (std::filesystem::is_directory(options.file)) throw InputError(options.file + " is a directory");
    std::ifstream stream(options.file, std::ios::binary);
    if (!stream) throw InputError("cannot read the configuration " + options.file + ": " + std::strerror(errno));
    std::ostringstream content;
    content << stream.rdbuf();
    text = content.str();
    if (text.starts_with("\x1F\x8B")) throw InputError(options.file + " is compressed with gzip; unpack it first");
    refuse_binary(text, options.file);
  });
  text = comm.broadcast(text);
  const auto directory = std::filesystem::absolute(options.file).parent_path().string();
  Config config;
  comm.attempt([&] { config = parse_config(text, options.file, directory, options.settings); });
  return config;
}

}  // namespace cohort
