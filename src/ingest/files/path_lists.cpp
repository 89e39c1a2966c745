#include "ingest/files/path_lists.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

#include "core/error.hpp"
#include "ingest/files/packed_file.hpp"

namespace cohort {

namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) {
  const auto name = path.filename().string();
  return name.starts_with('.') || name.starts_with('_');
}

void add_directory(const std::string& path, std::vector<std::string>& files) {
  std::vector<std::string> found;
  try {
    for (fs::recursive_directory_iterator at(path), end; at != end; ++at) {
      if (is_hidden(at->path())) {
        if (at->is_directory()) at.disable_recursion_pending();
      } else if (at->is_regular_file()) {
        found.push_back(at->path().string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw InputError(path + ": the directory cannot be read: " + error.code().message());
  }
  if (found.empty()) throw InputError(path + ": is a directory without files; name one that has the data");
  std::ranges::sort(found);
  files.insert(files.end(), found.begin(), found.end());
}

void add_path(const std::string& path, std::vector<std::string>& files, bool in_list);

// A line for each path; blank lines and those that begin with '#' are none.
void add_list(const std::string& path, std::vector<std::string>& files) {
  std::ifstream list(path);
  if (!list || fs::is_directory(path)) throw InputError(path + ": the list of files cannot be read; check its path");
  const auto directory = fs::path(path).parent_path();
  const auto before = files.size();
  for (std::string line; std::getline(list, line);) {
    line.erase(0, line.find_first_not_of(" \t"));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.starts_with('#')) continue;
    add_path((line.starts_with('~') ? fs::path(line) : directory / line).lexically_normal().string(), files, true);
  }
  if (files.size() == before) throw InputError(path + ": the list of files names none");
}

void add_path(const std::string& path, std::vector<std::string>& files, bool in_list) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return add_directory(path, files);
  const auto name = fs::path(path).filename().string();
  if (fs::exists(path, ignored)) {
    files.push_back(path);
  } else if (name.starts_with('@') && !in_list) {
    add_list((fs::path(path).parent_path() / name.substr(1)).string(), files);
  } else if (path.find_first_of("*?[{~") == std::string::npos) {
    files.push_back(path);  // opening it says what is wrong
  } else {
    glob_t found{};
    const int status = ::glob(path.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found);
    const std::vector<std::string> matches(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (status != 0 || matches.empty()) throw InputError(path + ": no file matches; check the path and the pattern");
    for (const auto& match : matches) {
      if (!fs::is_directory(match, ignored)) {
        files.push_back(match);
      } else if (!is_hidden(match)) {
        add_directory(match, files);
      }
    }
  }
}

// The folder of a table that keeps a log of its files, in which a file stands or whose parts a=b do; empty: none.
std::string logged_table(const fs::path& file) {
  for (auto folder = file.parent_path();; folder = folder.parent_path()) {
    std::error_code ignored;
    const auto here = folder.empty() ? fs::path(".") : folder;
    if (fs::is_directory(here / "_delta_log", ignored) || fs::is_directory(here / ".hoodie", ignored))
      return here.string();
    if (folder.filename().string().find('=') == std::string::npos) return "";
  }
}

// Without what only says how a file is written.
std::string plain_path(const std::string& path) {
  const fs::path unpacked{std::string(without_packing(path))};
  const auto ending = unpacked.extension().string();
  static const std::set<std::string, std::less<>> endings{".csv",  ".tsv",   ".txt",    ".dat",
                                                          ".json", ".jsonl", ".ndjson", ".parquet"};
  return endings.contains(ending) ? (unpacked.parent_path() / unpacked.stem()).string() : unpacked.string();
}

}  // namespace

std::vector<std::string> expand_paths(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const auto& path : paths) add_path(path, files, false);
  return files;
}

std::vector<std::string> warn_of_copies(const std::vector<std::string>& files) {
  std::vector<std::string> warnings;
  std::set<std::string> tables;
  std::map<std::string, std::string> path_of;
  std::set<fs::path> folders;
  for (const auto& file : files) {
    if (folders.insert(fs::path(file).parent_path()).second) {
      if (auto table = logged_table(file); !table.empty()) tables.insert(std::move(table));
    }
    const auto [found, is_new] = path_of.emplace(plain_path(file), file);
    if (is_new || found->second == file) continue;
    warnings.push_back(file + ": is called as " + found->second +
                       " but for how it is written; if both hold the same records, all of them count twice. Leave one "
                       "out");
  }
  for (const auto& table : tables) {
    warnings.push_back(table +
                       ": is a table whose log says which of its files count (Delta Lake, Hudi); the log is not read, "
                       "so files that were replaced or deleted count too. Write the table out, or name its files");
  }
  return warnings;
}

}  // namespace cohort
