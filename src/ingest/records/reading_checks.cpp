#include "ingest/records/reading_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "comm/index_plan.hpp"
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

// Measured on six data sets (docs/formats.md): users vary less than items in all of them.
constexpr double factor_of_variation = 1.5;

// Standard deviation by mean of how often the ids of a column occur.
double variation_of(const Communicator& comm, const IdColumn& column) {
  std::vector<std::int64_t> wanted;
  std::vector<std::int64_t> contributions;
  std::vector<std::int64_t> owned;
  comm.attempt([&] {
    std::vector<std::int64_t> counts(column.number.size(), 0);
    for (const auto id : column.local) ++counts[id];
    std::vector<std::int64_t> order(counts.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::ranges::sort(order, {}, [&](std::int64_t id) { return column.number[id]; });
    for (const auto id : order) {
      wanted.push_back(column.number[id]);
      contributions.push_back(counts[id]);
    }
    owned.assign(column.distribution.count(comm.rank()), 0);
  });
  IndexPlan(comm, column.distribution, wanted).add<std::int64_t>(contributions, owned);
  std::int64_t sums[] = {0, 0, 0};  // ids that occur, records, squares: exact
  for (const auto count : owned) {
    sums[0] += count > 0 ? 1 : 0;
    sums[1] += count;
    sums[2] += count * count;
  }
  comm.sum_in_place(std::span<std::int64_t>(sums));
  if (sums[0] == 0) return 0;
  const auto mean = static_cast<double>(sums[1]) / static_cast<double>(sums[0]);
  const auto square = static_cast<double>(sums[2]) / static_cast<double>(sums[0]);
  return std::sqrt(std::max(0.0, square - mean * mean)) / mean;
}

}  // namespace

std::vector<std::string> warn_of_swapped_columns(const Communicator& comm, const IdColumn& users,
                                                 const IdColumn& items) {
  const auto of_users = variation_of(comm, users);
  const auto of_items = variation_of(comm, items);
  if (of_users < factor_of_variation * of_items) return {};
  return {
      fmt::format("the columns are told by their order, but the lines of each item stand together, as those of a user "
                  "mostly do, and "
                  "users occur more unevenly than items (standard deviation {:.1f} times the mean beside {:.1f}), as "
                  "items mostly do: "
                  "if the first column holds items, set input.columns.user = 1 and input.columns.item = 0",
                  of_users, of_items)};
}

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

}  // namespace cohort
