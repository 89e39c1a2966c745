// What the files are that `cohort init` is given, and how the configuration names them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ingest/records/file_kinds.hpp"

namespace cohort {

/// By kind.
struct LogFiles {
  std::vector<std::vector<std::string>> files = std::vector<std::vector<std::string>>(4);    ///< to read
  std::vector<std::vector<std::string>> written = std::vector<std::vector<std::string>>(4);  ///< as a configuration
  std::vector<std::string> unused;  ///< why each other file of a directory or pattern is none of these

  const std::vector<std::string>& of(FileKind kind) const { return files[static_cast<std::size_t>(kind)]; }
  const std::vector<std::string>& written_of(FileKind kind) const { return written[static_cast<std::size_t>(kind)]; }
};

/// Each of `logs` is a file, a directory, a pattern or a list; where all its files are of one kind the configuration
/// names it as it stands. Throws InputError: a file that cannot be read, or that is none of the kinds and given by its
/// own name; no interactions and no friendships in any. Local.
LogFiles sort_log_files(const std::vector<std::string>& logs, const LayoutRequest& request, const std::string& output);

/// A path of the command line as the configuration `output` has it, whose paths start in its own directory. Local.
std::string path_in_config(const std::string& path, const std::string& output);

}  // namespace cohort
