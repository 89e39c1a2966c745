#include "cli/config_options.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/file_call.hpp"
#include "ingest/files/other_formats.hpp"
#include "ingest/files/path_lists.hpp"

namespace cohort {

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
  comm.attempt([&] { config = parse_config(text, options.file, directory, options.settings, options.preset); });
  for (auto* paths : {&config.input.interactions, &config.input.social, &config.input.test}) {
    std::string expanded;
    comm.attempt([&] {
      if (!comm.is_root()) return;
      for (const auto& path : expand_paths(*paths)) expanded.append(path).push_back('\0');
    });
    expanded = comm.broadcast(expanded);
    paths->clear();
    for (std::size_t at = 0; at < expanded.size(); at = expanded.find('\0', at) + 1) {
      paths->emplace_back(expanded.c_str() + at);
    }
  }
  return config;
}

}  // namespace cohort
