#include "ingest/records/reading_checks.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/records/field_shape.hpp"

namespace cohort {

namespace {

// Fewer records say nothing of how often ids occur.
constexpr std::int64_t fewest_records = 5;
constexpr std::size_t longest_name = 64;
// Each takes a pass over the records.
constexpr std::size_t most_files_checked = 8;

struct FirstLine {
  const OpenedFile* file;
  std::string first, second;
};

// Those that may be headers.
std::vector<FirstLine> wordy_first_lines(const std::vector<OpenedFile>& files) {
  std::vector<FirstLine> lines;
  for (const auto& file : files) {
    if (lines.size() == most_files_checked) break;
    const auto& sample = file.notes.sample;
    const auto a = static_cast<std::size_t>(file.layout.first);
    const auto b = static_cast<std::size_t>(file.layout.second);
    const bool named = !file.notes.header.empty() || file.layout.format == TextFormat::json || file.storage.parquet;
    if (named || std::max(a, b) >= sample.size()) continue;
    const std::string first(trimmed(sample[a]));
    const std::string second(trimmed(sample[b]));
    if (first == second || !is_words(first) || !is_words(second) ||
        std::max(first.size(), second.size()) > longest_name)
      continue;
    lines.push_back({&file, first, second});
  }
  return lines;
}

}  // namespace

std::vector<std::string> warn_of_headers(const Communicator& comm, const std::vector<OpenedFile>& files,
                                         const LayoutRequest& request, const LocalPairs& pairs, const IdInterner& first,
                                         const IdInterner& second) {
  // The user said that there is none.
  if (request.header == false || request.role == FileRole::labels) return {};
  const auto lines = wordy_first_lines(files);
  const bool social = request.role == FileRole::social;
  std::vector<std::int64_t> counts(2 * lines.size(), 0);  // records that hold both ids, and that hold one of them
  comm.attempt([&] {
    for (std::size_t l = 0; l < lines.size(); ++l) {
      const auto a = first.find(lines[l].first);
      const auto b = second.find(lines[l].second);
      for (std::size_t i = 0; (a || b) && i < pairs.first.size(); ++i) {
        // Friends may stand in either column.
        const bool has_a = a == pairs.first[i] || (social && a == pairs.second[i]);
        const bool has_b = b == pairs.second[i] || (social && b == pairs.first[i]);
        counts[2 * l] += has_a && has_b ? 1 : 0;
        counts[2 * l + 1] += has_a != has_b ? 1 : 0;
      }
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(counts));
  std::vector<std::string> warnings;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    if (counts[2 * l] == 0 || counts[2 * l + 1] > 0) continue;
    warnings.push_back(
        lines[l].file->path + ": its first line was read as a record, but " + quoted(lines[l].first) + " and " +
        quoted(lines[l].second) + " occur in no other; if it names the columns, " +
        (request.settable ? "set input.header = true (false: it is a record)" : "call them user and item"));
  }
  return warnings;
}

std::vector<std::string> warn_of_singles(std::int64_t records, std::int64_t users, std::int64_t items) {
  std::vector<std::string> warnings;
  const auto add = [&](const std::string& what) {
    warnings.push_back("every " + what + " occurs in one record only, of " + std::to_string(records) +
                       "; if its column holds something else, set input.columns." + what);
  };
  if (records >= fewest_records && users == records) add("user");
  const auto add_same = [&](const std::string& what) {
    warnings.push_back("all of " + std::to_string(records) + " records are of one " + what +
                       "; if its column holds something else, set input.columns." + what);
  };
  if (records >= fewest_records && users == 1) add_same("user");
  if (records >= fewest_records && items == 1) add_same("item");
  if (records >= fewest_records && items == records) add("item");
  return warnings;
}

std::vector<std::string> warn_of_folders(const std::vector<OpenedFile>& files) {
  std::map<std::string, std::set<std::string>> values;  // by key
  for (const auto& file : files) {
    std::string_view rest = file.path;
    for (auto end = rest.find('/'); end != std::string_view::npos; end = rest.find('/')) {
      const auto name = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      const auto equals = name.find('=');
      if (equals == std::string_view::npos || equals == 0) continue;
      const std::string key(name.substr(0, equals));
      const bool in_file = std::ranges::find(file.notes.names, key) != file.notes.names.end();
      if (!in_file) values[key].emplace(name.substr(equals + 1));
    }
  }
  std::vector<std::string> warnings;
  for (const auto& [key, of_key] : values) {
    if (of_key.size() < 2) continue;
    warnings.push_back("the files stand in folders such as " + quoted(key + "=" + *of_key.begin()) +
                       "; what these say is not read. Where it counts, write it into a column of the files");
  }
  return warnings;
}

std::vector<std::string> warn_of_missing_words(const Communicator& comm, FileRole role, const LocalPairs& pairs,
                                               const IdInterner& first, const IdInterner& second) {
  static constexpr std::array<std::string_view, 16> words{"nan",   "NaN",   "NA",    "N/A",        "null", "NULL",
                                                          "None",  "none",  "\\N",   "undefined",  "-",    "-1",
                                                          "Total", "total", "TOTAL", "Grand Total"};
  constexpr std::size_t missing = 12;  // so many of them; the others head a line of totals
  if (role == FileRole::labels) return {};
  std::vector<std::int64_t> counts(2 * words.size(), 0);
  comm.attempt([&] {
    for (std::size_t w = 0; w < words.size(); ++w) {
      if (const auto number = first.find(words[w])) counts[2 * w] = std::ranges::count(pairs.first, *number);
      if (const auto number = second.find(words[w])) counts[2 * w + 1] = std::ranges::count(pairs.second, *number);
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(counts));
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::string what = role == FileRole::social ? "user" : i % 2 == 0 ? "user" : "item";
    warnings.push_back(
        counted(counts[i], "record has", "records have") + " the " + what + " " + quoted(words[i / 2]) +
        (i / 2 < missing ? ", as programs write one that is missing; it is taken as an id. Leave such records out of "
                           "the file, or write nothing there and set clean.incomplete = \"drop\""
                         : ", as the line of a total has; it is taken as an id. Leave such lines out of the file"));
  }
  return warnings;
}

}  // namespace cohort
