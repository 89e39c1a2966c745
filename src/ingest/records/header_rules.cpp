#include "ingest/records/header_rules.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "ingest/records/chosen_columns.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"

namespace cohort {

namespace {

std::vector<Meaning> meanings_of(FileRole role) {
  if (role == FileRole::social) return {Meaning::source, Meaning::target, Meaning::user, Meaning::weight};
  if (role == FileRole::labels) return {Meaning::user, Meaning::label};
  return {Meaning::user, Meaning::item, Meaning::weight, Meaning::time, Meaning::event};
}

// The fields below the first line, column by column; lines that repeat the first one are left out, as are fields that
// are missing.
std::vector<std::vector<std::string>> columns_below(const Rows& rows) {
  std::vector<std::vector<std::string>> columns(rows[0].size());
  for (std::size_t r = 1; r < rows.size(); ++r) {
    if (rows[r] == rows[0]) continue;
    for (std::size_t c = 0; c < std::min(columns.size(), rows[r].size()); ++c) {
      if (!is_missing(rows[r][c])) columns[c].push_back(rows[r][c]);
    }
  }
  return columns;
}

bool has_digit(const std::string& text) {
  return text.find_first_of("0123456789") != std::string::npos;
}

template <class Test>
bool all_of_some(const std::vector<std::string>& fields, Test test) {
  return !fields.empty() && std::ranges::all_of(fields, test);
}

bool is_value(const std::string& text) {
  return is_number(text) || is_date(text);
}

// 0, 1, 2, ... from the field `first` on.
bool counts_up(const std::vector<std::string>& fields, std::size_t first) {
  for (std::size_t i = first; i < fields.size(); ++i) {
    if (fields[i] != std::to_string(i - first)) return false;
  }
  return fields.size() > first;
}

bool named_as_known(const std::vector<std::string>& fields, const std::vector<std::vector<std::string>>& below,
                    FileRole role) {
  const auto meanings = meanings_of(role);
  std::size_t known = 0;
  bool sure = false;
  for (std::size_t c = 0; c < fields.size(); ++c) {
    if (std::ranges::find(below[c], fields[c]) != below[c].end()) continue;
    known += std::ranges::any_of(meanings, [&](Meaning m) { return means(fields[c], m); }) ? 1 : 0;
    sure = sure || std::ranges::any_of(meanings, [&](Meaning m) { return surely_means(fields[c], m); });
  }
  return known >= 2 || (sure && std::ranges::none_of(fields, is_number));
}

// Rules 3 and 4.
bool differs_in_type(const std::vector<std::string>& fields, const std::vector<std::vector<std::string>>& below) {
  std::set<std::string> different;
  bool above_values = false;
  bool above_digits = false;
  for (std::size_t c = 0; c < fields.size(); ++c) {
    const auto& field = fields[c];
    if (is_value(field) || is_missing(field) || !different.insert(field).second) return false;
    if (std::ranges::find(below[c], field) != below[c].end()) return false;
    const bool values = all_of_some(below[c], is_value);
    above_values = above_values || values;
    above_digits = above_digits || all_of_some(below[c], has_digit);
    if (!values && has_digit(field) &&
        std::ranges::any_of(below[c], [&](const std::string& other) { return shape_of(other) == shape_of(field); })) {
      return false;
    }
  }
  return above_values || (above_digits && std::ranges::none_of(fields, has_digit));
}

}  // namespace

bool is_header(const Rows& rows, FileRole role, const ColumnChoice& columns) {
  const auto& fields = rows[0];
  if (holds_chosen_name(fields, role, columns)) return true;
  const auto below = columns_below(rows);
  if (named_as_known(fields, below, role) || differs_in_type(fields, below)) return true;
  const auto is_word = [](const std::string& text) { return !is_number(text); };
  const std::size_t index = fields[0].empty() ? 1 : 0;
  if (fields.size() >= 2 && counts_up(fields, index)) {
    for (auto c = index; c < fields.size(); ++c) {
      if (all_of_some(below[c], is_word)) return true;
    }
  }
  return fields.size() >= 3 && index == 1 && below[0].size() + 1 >= rows.size() && counts_up(below[0], 0);
}

bool are_types(const std::vector<std::string>& fields) {
  static constexpr std::array<std::string_view, 12> types{"String",   "Bool",       "Date",   "Date32",
                                                          "DateTime", "DateTime64", "UUID",   "FixedString",
                                                          "Decimal",  "Enum8",      "Enum16", "IPv4"};
  const auto is_type = [](std::string_view text) {
    for (const std::string_view wrapper : {"LowCardinality(", "Nullable("}) {
      if (text.starts_with(wrapper) && text.ends_with(')')) {
        text = text.substr(wrapper.size(), text.size() - wrapper.size() - 1);
      }
    }
    text = text.substr(0, text.find('('));
    if (std::ranges::find(types, text) != types.end()) return true;
    for (const std::string_view number : {"UInt", "Int", "Float"}) {
      if (text.starts_with(number) && is_whole_number(text.substr(number.size()))) return true;
    }
    return false;
  };
  return fields.size() >= 2 && std::ranges::all_of(fields, is_type);
}

bool looks_like_data(const Rows& rows) {
  const auto below = columns_below(rows);
  for (std::size_t c = 0; c < rows[0].size(); ++c) {
    if (is_number(rows[0][c]) && all_of_some(below[c], is_number)) return true;
  }
  return false;
}

std::vector<std::string> fields_of(std::span<const std::vector<std::string>> rows, std::int32_t column) {
  std::vector<std::string> fields;
  for (const auto& row : rows) {
    const auto at = static_cast<std::size_t>(column);
    if (column >= 0 && at < row.size() && !is_missing(row[at])) fields.emplace_back(trimmed(row[at]));
  }
  return fields;
}

bool same_width(const Rows& rows) {
  return rows[0].size() >= 2 &&
         std::ranges::all_of(rows, [&](const auto& row) { return row.size() == rows[0].size(); });
}

bool has_quoted_column(const Rows& rows) {
  for (std::size_t c = 0; c < rows[0].size(); ++c) {
    const bool quoted = rows.size() > 1 && std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) {
                          if (c >= row.size() || row[c].size() < 2) return false;
                          return row[c].starts_with('"') && row[c].ends_with('"');
                        });
    if (quoted) return true;
  }
  return false;
}

}  // namespace cohort
