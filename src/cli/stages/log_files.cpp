#include "cli/stages/log_files.hpp"

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "ingest/files/input_files.hpp"
#include "ingest/files/path_lists.hpp"

namespace cohort {

namespace {

namespace fs = std::filesystem;

// An argument, and the files that it stands for.
struct Source {
  std::string given;
  std::vector<std::string> files;
  std::vector<FileGuess> guesses;
};

bool is_table(const FileGuess& guess) {
  return guess.kind == FileKind::item_attributes || guess.kind == FileKind::user_attributes;
}

// Rank 0's.
std::vector<Source> look_at(const std::vector<std::string>& logs, const LayoutRequest& request) {
  std::vector<Source> sources;
  for (const auto& log : logs) {
    auto& source = sources.emplace_back(Source{log, expand_paths({log}), {}});
    for (const auto& file : source.files) {
      const bool alone = source.files.size() == 1;
      try {
        source.guesses.push_back(guess_kind(head_of(file, request), file, request));
      } catch (const InputError& error) {
        if (alone) throw;
        source.guesses.emplace_back().why = error.what();
      }
      if (alone && source.guesses[0].kind == FileKind::none) throw InputError(source.guesses[0].why);
    }
    settle_parts(source.guesses);
  }
  return sources;
}

// A table that looks as interactions do is more of them; and so is one beside which there are none.
void settle_tables(std::vector<Source>& sources) {
  std::vector<std::vector<std::string>> names;
  bool none = true;
  for (const auto& source : sources) {
    for (const auto& guess : source.guesses) {
      none = none && guess.kind != FileKind::interactions && guess.kind != FileKind::social;
      if (guess.kind == FileKind::interactions && !guess.names.empty()) names.push_back(guess.names);
    }
  }
  for (auto& source : sources) {
    for (auto& guess : source.guesses) {
      const bool same = std::find(names.begin(), names.end(), guess.names) != names.end();
      if (is_table(guess) && guess.doubtful && (none || same)) guess.kind = FileKind::interactions;
    }
  }
}

}  // namespace

std::string path_in_config(const std::string& path, const std::string& output) {
  const bool list = path.starts_with('@') && !fs::exists(path);
  const fs::path file = list ? path.substr(1) : path;
  const bool plain = !fs::exists(output) || fs::is_regular_file(output);
  if (file.is_absolute() || path.starts_with('~') || !plain) return path;
  const auto from = fs::absolute(output).lexically_normal().parent_path();
  return (list ? "@" : "") + fs::absolute(file).lexically_normal().lexically_relative(from).string();
}

LogFiles sort_log_files(const std::vector<std::string>& logs, const LayoutRequest& request, const std::string& output) {
  auto sources = look_at(logs, request);
  settle_tables(sources);
  LogFiles sorted;
  for (const auto& source : sources) {
    const auto kind = source.guesses[0].kind;
    const bool alike = kind != FileKind::none && std::all_of(source.guesses.begin(), source.guesses.end(),
                                                             [&](const auto& guess) { return guess.kind == kind; });
    if (alike) sorted.written[static_cast<std::size_t>(kind)].push_back(path_in_config(source.given, output));
    for (std::size_t f = 0; f < source.files.size(); ++f) {
      const auto& guess = source.guesses[f];
      if (guess.kind == FileKind::none) {
        sorted.unused.push_back(guess.why);
        continue;
      }
      const auto place = static_cast<std::size_t>(guess.kind);
      sorted.files[place].push_back(source.files[f]);
      if (!alike) sorted.written[place].push_back(path_in_config(source.files[f], output));
    }
  }
  if (sorted.of(FileKind::interactions).empty() && sorted.of(FileKind::social).empty()) {
    throw InputError("none of the files can be read as what users did or whom they know: " +
                     (sorted.unused.empty() ? sources[0].given : sorted.unused[0]));
  }
  return sorted;
}

}  // namespace cohort
