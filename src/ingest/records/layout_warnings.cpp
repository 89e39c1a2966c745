#include "ingest/records/layout_warnings.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/utf8.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"

namespace cohort {

namespace {

// The fields of one column, without those that are missing.
std::vector<std::string> fields_of(const Rows& rows, std::int32_t column) {
  std::vector<std::string> fields;
  for (const auto& row : rows) {
    const auto at = static_cast<std::size_t>(column);
    if (column >= 0 && at < row.size() && !is_missing(row[at])) fields.emplace_back(trimmed(row[at]));
  }
  return fields;
}

template <class Test>
bool all(const std::vector<std::string>& fields, Test test) {
  return !fields.empty() && std::ranges::all_of(fields, test);
}

double value_of(const std::string& text) {
  double value = 0;
  std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), text.data() + text.size(), value);
  return value;
}

// Consecutive numbers from 0 or 1: an index that was written beside the data.
bool counts_lines(const std::vector<std::string>& fields) {
  if (fields.size() < 3 || (fields[0] != "0" && fields[0] != "1")) return false;
  const auto first = fields[0] == "1" ? 1U : 0U;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] != std::to_string(first + i)) return false;
  }
  return true;
}

// Numbers that repeat may be ids that happen to look like times; times hardly repeat in every line.
bool are_unix_times(const std::vector<std::string>& fields) {
  return all(fields, is_unix_time) && std::set(fields.begin(), fields.end()).size() * 2 > fields.size();
}

}  // namespace

void warn_of_shapes(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                    std::vector<std::string>& warnings) {
  if (request.role == FileRole::labels) return;
  const bool social = request.role == FileRole::social;
  const auto warn = [&](std::int32_t column, const std::string& role, const std::string& fault,
                        const std::vector<std::string>& fields) {
    warnings.push_back(column_text(column, seen.names) + ", read as the " + role + ", " + fault + " (" +
                       quoted(fields[0], 40) + ")" +
                       (request.settable ? "; if that is not meant, set input.columns." + role
                                         : "; if that is not meant, name the columns in a header"));
  };
  const auto check_ids = [&](std::int32_t column, const std::string& role) {
    const auto fields = fields_of(seen.data, column);
    if (all(fields, is_date) || are_unix_times(fields)) {
      warn(column, role, "looks like times", fields);
    } else if (all(fields, is_fraction)) {
      warn(column, role, "looks like real numbers", fields);
    } else if (role == "user" && layout.columns > 2 && counts_lines(fields) &&
               (seen.names.empty() || !means(seen.names[column], Meaning::user))) {
      warn(column, role, "counts the lines, as an index does", fields);
    }
  };
  check_ids(layout.first, social ? "source" : "user");
  check_ids(layout.second, social ? "target" : "item");
  if (seen.names.empty()) {
    if (const auto weights = fields_of(seen.data, layout.weight);
        all(weights, [](const std::string& field) { return is_whole_number(field) && value_of(field) >= 1e6; })) {
      warn(layout.weight, "weight", all(weights, is_unix_time) ? "looks like times" : "looks like ids", weights);
    }
    if (const auto times = fields_of(seen.data, layout.time);
        all(times, [](const std::string& field) { return is_fraction(field) && std::abs(value_of(field)) < 1000; })) {
      warn(layout.time, "time", "looks like no time", times);
    }
  }
  for (const std::string separator : {";", "|", "\t"}) {
    const auto holds = [&](const auto& row) { return !row.empty() && row[0].find(separator) != std::string::npos; };
    const bool other = layout.format == TextFormat::csv || separator != "\t";
    if (other && !seen.data.empty() && std::ranges::all_of(seen.data, holds)) {
      warnings.push_back("the first field of every line holds " + quoted(separator) + " (" +
                         quoted(seen.data[0][0], 40) +
                         "); if that separates columns, write them with tabs or commas (and numbers with decimal " +
                         "points)" + (separator == "\t" && request.settable ? ", or set input.format = \"tsv\"" : ""));
      break;
    }
  }
}

}  // namespace cohort
