#include "ingest/records/layout_warnings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/number_text.hpp"
#include "ingest/records/time_text.hpp"

namespace cohort {

namespace {

// Ratings are from 5, 10 or 100 at most.
constexpr double most_of_a_rating = 100;
// A weight that is missing in one of so many records is spoken of.
constexpr std::ptrdiff_t share_of_missing = 10;
// Ratings agree in so many repeats by chance hardly ever.
constexpr std::size_t repeats_that_show = 8;
constexpr std::size_t weights_that_show = 3;
// Fewer stand together by chance.
constexpr std::size_t fewest_groups = 3;
constexpr std::size_t fewest_lines_of_groups = 30;

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

// Google Analytics' 2041375821.1602345432: a random number and a time.
bool is_visitor_number(const std::string& field) {
  const auto point = field.find('.');
  return point != std::string::npos && point >= 6 && field.size() - point > 9 &&
         is_whole_number(field.substr(0, point)) && is_whole_number(field.substr(point + 1));
}

// What looks meant otherwise in the ids of a column, with what to do; empty: nothing.
std::string fault_of_ids(const FileLayout& layout, const std::string& name, const std::vector<std::string>& fields) {
  using Pair = std::pair<std::string_view, std::string_view>;
  const auto quoted_id = [](const std::string& field) {
    return field.size() > 2 && field.starts_with('"') && field.ends_with('"');
  };
  if (layout.format != TextFormat::csv && layout.format != TextFormat::json && std::ranges::any_of(fields, quoted_id)) {
    const bool tabs = layout.format == TextFormat::tsv;
    return std::string("stands in double quotes") + (all(fields, quoted_id) ? "" : ", in some lines") +
           ", which are read as part of it; " +
           (tabs ? "where they are quotes, set input.format = \"csv\" and input.separator = \"tab\""
                 : "they are quotes in files by commas, semicolons, | or tabs alone, so write such a file, or one "
                   "without them");
  }
  for (const auto& [open, close] : {Pair{"'", "'"}, Pair{"\xE2\x80\x9C", "\xE2\x80\x9D"}, Pair{"`", "`"}}) {
    const auto in_quotes = [&, &first = open, &last = close](const std::string& field) {
      return field.size() > first.size() + last.size() && field.starts_with(first) && field.ends_with(last);
    };
    if (all(fields, in_quotes)) {
      return "stands in quotes that are read as part of it; quotes that are none are written as \"";
    }
  }
  if (all(fields, [](const std::string& field) { return field.starts_with("=\"") && field.ends_with('"'); })) {
    return "stands in =\"...\", as spreadsheets mark texts, which is read as part of it; write it without";
  }
  if (all(fields, [](const std::string& field) { return field.starts_with('\'') && field.size() > 1; })) {
    return "begins with an apostrophe, as spreadsheets mark texts, which is read as part of it; write it without";
  }
  const auto escaped = [](const std::string& field) {
    return std::ranges::any_of(std::array{"\\\\", "\\t", "\\n", "\\\""},
                               [&](const char* escape) { return field.find(escape) != std::string::npos; });
  };
  // A dialect that has escapes is rewritten (dialect_choice.hpp).
  if (layout.format == TextFormat::tsv && std::ranges::any_of(fields, escaped)) {
    return "holds backslashes as databases put them before tabs, line ends and themselves, which are read as they "
           "stand; if they are escapes, write the file as CSV";
  }
  for (const auto& [open, close] : {std::pair{'{', '}'}, std::pair{'(', ')'}}) {
    const auto inside = [first = open, last = close](const std::string& field) {
      return field.starts_with(first) && field.ends_with(last);
    };
    if (all(fields, inside)) return "looks like several values in one, which are read as one; write each as a column";
  }
  const auto in_brackets = [](const std::string& field) { return field.starts_with('[') && field.ends_with(']'); };
  const auto several = [](const std::string& field) { return field.find('|') != std::string::npos; };
  // A column of friends or item_ids may hold several in one field.
  const auto plain = plain_name(name);
  const bool plural = plain.ends_with("ids") || plain == "friends" || plain == "following" || plain == "trusted";
  const auto separated = [](const std::string& field) { return field.find_first_of(",;| ") != std::string::npos; };
  // 3 18 7, or 3,18,7: in the column of a file without names, where a line is a user with its items.
  const auto numbers = [](const std::string& field) {
    return field.find_first_not_of("0123456789 ,") == std::string::npos;
  };
  const bool of_numbers = name.empty() && all(fields, numbers) && std::ranges::any_of(fields, separated);
  const bool lists = all(fields, in_brackets) || of_numbers || (plural && std::ranges::any_of(fields, separated)) ||
                     (layout.format == TextFormat::json && std::ranges::any_of(fields, several));
  return lists ? "looks like lists, each of which is read as one; write a line for each thing in them" : "";
}

// Columns of yes and no, by whose names one would expect that no counts for nothing.
bool says_yes_or_no(const std::string& name) {
  static const std::set<std::string, std::less<>> names{
      "clicked",   "click",      "isclick", "isclicked",  "liked",     "like",     "islike",
      "isliked",   "target",     "label",   "feedback",   "purchased", "purchase", "ispurchase",
      "converted", "conversion", "isread",  "interested", "followed",  "isfollow"};
  return names.contains(plain_name(name));
}

void warn_of_names(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                   std::vector<std::string>& warnings) {
  for (const auto used : {layout.first, layout.second, layout.weight, layout.time}) {
    if (used < 0) continue;
    for (std::int32_t c = 0; c < layout.columns; ++c) {
      const auto named_alike = plain_name(seen.names[c]) == plain_name(seen.names[used]);
      if (c == used || !named_alike || seen.names[c].empty()) continue;
      warnings.push_back(column_text(used, seen.names) + " and " + column_text(c, seen.names) +
                         " have one name; the first of them is read" +
                         (request.settable ? ", unless input.columns gives the other's index" : ""));
    }
  }
  if (layout.weight >= 0 || layout.event >= 0 || !request.columns.empty() || !request.settable) return;
  for (std::int32_t c = 0; c < layout.columns; ++c) {
    const auto fields = fields_of(seen.data, c);
    const auto one_of = [](const std::string& field, const std::array<const char*, 5>& words) {
      return std::ranges::find(words, field) != words.end();
    };
    const auto no = [&](const std::string& field) { return one_of(field, {"0", "0.0", "false", "False", "FALSE"}); };
    const auto yes = [&](const std::string& field) { return one_of(field, {"1", "1.0", "true", "True", "TRUE"}); };
    const auto either = [&](const std::string& field) { return no(field) || yes(field); };
    const bool used = c == layout.first || c == layout.second || c == layout.time || c == layout.split;
    if (used || !says_yes_or_no(seen.names[c]) || !all(fields, either) || std::ranges::none_of(fields, no)) continue;
    warnings.push_back(column_text(c, seen.names) +
                       " says yes or no of each record, and is not used, so that both count " +
                       "alike; to count yes alone set input.columns.weight to it and graph.weight = \"raw\"");
  }
}

// A weight that is not given, or that the item or the user alone decides: how often others clicked it, for one.
void warn_of_named_weights(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                           std::vector<std::string>& warnings) {
  if (layout.weight < 0 || !request.columns.empty() || !request.settable) return;
  const auto at = static_cast<std::size_t>(layout.weight);
  const auto missing =
      std::ranges::count_if(seen.data, [&](const auto& row) { return at >= row.size() || is_missing(row[at]); });
  const std::string remedy =
      "; to count all alike instead, say in input.columns which columns hold the user and the item, and no weight";
  if (missing > 0 && missing * share_of_missing >= std::ssize(seen.data)) {
    warnings.push_back(column_text(layout.weight, seen.names) + ", read as the weight, is empty in " +
                       std::to_string(missing) + " of the first " + counted(std::ssize(seen.data), "record") +
                       "; such are an error, or left out (clean.incomplete)" + remedy);
  }
  for (const auto& [column, what] : {std::pair(layout.first, "user"), std::pair(layout.second, "item")}) {
    std::map<std::string, std::set<std::string>> weights_of;
    std::map<std::string, std::set<std::string>> others_of;
    const auto id = static_cast<std::size_t>(column);
    const auto other = static_cast<std::size_t>(column == layout.first ? layout.second : layout.first);
    for (const auto& row : seen.data) {
      if (std::max({at, id, other}) >= row.size() || is_missing(row[at])) continue;
      weights_of[row[id]].insert(row[at]);
      others_of[row[id]].insert(row[other]);
    }
    std::size_t repeats = 0;
    bool differ = false;
    std::set<std::string> weights;
    for (const auto& [name, others] : others_of) {
      if (others.size() < 2) continue;
      repeats += others.size() - 1;
      weights.insert(weights_of[name].begin(), weights_of[name].end());
      differ = differ || weights_of[name].size() > 1;
    }
    if (differ || repeats < repeats_that_show || weights.size() < weights_that_show) continue;
    warnings.push_back(column_text(layout.weight, seen.names) +
                       ", read as the weight, is the same in all records of one " + what +
                       ", so it may say something of the " + what + " alone" + remedy);
  }
}

// When nothing is known to be the time, but something is.
void warn_of_dates(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                   std::vector<std::string>& warnings) {
  if (layout.time >= 0 || layout.role != FileRole::interactions || !request.columns.empty() || !request.settable)
    return;
  for (std::int32_t c = 0; c < layout.columns; ++c) {
    if (c == layout.first || c == layout.second || c == layout.weight || means(seen.names[c], Meaning::time)) continue;
    const auto is_day = [](const std::string& field) { return !is_number(field) && read_date(field).has_value(); };
    if (!all(fields_of(seen.data, c), is_day)) continue;
    warnings.push_back(column_text(c, seen.names) +
                       " holds dates, and is not used; if they say when, set input.columns.time to it");
    return;
  }
}

// customer17, item_3: the word before the digits. Empty: there is none, or a short one that says nothing.
std::string word_of(const std::string& field) {
  const auto digit = field.find_first_of("0123456789");
  if (digit == std::string::npos || digit == 0 || field.find_first_not_of("0123456789", digit) != std::string::npos) {
    return {};
  }
  auto word = plain_name(field.substr(0, digit));
  return is_words(word) ? word : std::string();
}

bool is_address(const std::string& field) {
  const auto at = field.find('@');
  return at != std::string::npos && at > 0 && field.find('.', at) != std::string::npos &&
         field.find_first_of(" /") == std::string::npos;
}

bool is_link(const std::string& field) {
  return field.starts_with("http://") || field.starts_with("https://") || field.starts_with("www.");
}

// Of an article at Amazon, or a film at IMDb.
bool is_catalogue_number(const std::string& field) {
  const auto digits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return (field.size() == 10 && field.starts_with("B0") && std::ranges::all_of(field, digits)) ||
         (field.size() >= 9 && field.starts_with("tt") && is_whole_number(field.substr(2)));
}

// Where nothing but their order tells the columns, the ids may: items in the first, users in the second.
void warn_of_swapped_ids(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                         std::vector<std::string>& warnings) {
  if (!request.columns.empty() || request.role != FileRole::interactions) return;
  const auto first = fields_of(seen.data, layout.first);
  const auto second = fields_of(seen.data, layout.second);
  const auto called = [](Meaning meaning, const std::string& letter) {
    return [=](const std::string& field) {
      const auto word = word_of(field);
      return word == letter || (word.size() > 2 && means(word, meaning));
    };
  };
  const auto any_of = [](auto... tests) { return [=](const std::string& field) { return (tests(field) || ...); }; };
  const auto is_item = any_of(called(Meaning::item, "i"), is_link, is_catalogue_number);
  const auto is_user = any_of(called(Meaning::user, "u"), is_address);
  const bool users_second = all(second, is_user) && !all(first, is_user);
  const bool items_first = all(first, is_item) && !all(second, is_item);
  if (!users_second && !items_first) return;
  warnings.push_back(column_text(layout.first, {}) + " is read as the user and " + column_text(layout.second, {}) +
                     " as the item, by their order, but " + quoted(first[0], 40) + " and " + quoted(second[0], 40) +
                     " look like an item and a user; if so, " +
                     (request.settable ? "set input.columns.user = " + std::to_string(layout.second) +
                                             " and input.columns.item = " + std::to_string(layout.first)
                                       : "write the user first"));
}

// What is told by order alone: further columns may be what was meant.
void warn_of_order(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                   std::vector<std::string>& warnings) {
  std::int32_t filled = 0;
  for (std::int32_t c = 0; c < layout.columns; ++c) filled += fields_of(seen.data, c).empty() ? 0 : 1;
  if (!request.columns.empty() || filled <= (request.role == FileRole::social ? 3 : 4)) return;
  // Small numbers and then times: a rating and when it was given, whatever stands behind them.
  const auto weights = fields_of(seen.data, layout.weight);
  const auto times = fields_of(seen.data, layout.time);
  const auto is_rating = [](const std::string& field) { return value_of(field) <= most_of_a_rating; };
  const bool dates = all(times, is_unix_time) || all(times, is_date);
  if (layout.first == 0 && layout.second == 1 && all(weights, is_rating) && dates) return;
  warnings.push_back("has " + std::to_string(filled) + " columns and no header; which is what is told by their order " +
                     (request.settable ? "alone. Set input.columns to be sure" : "alone; put a header before them"));
}

}  // namespace

void warn_of_lists(const Rows& rows, std::vector<std::string>& warnings) {
  std::set<std::string, std::less<>> users;
  for (const auto& row : rows) {
    if (row.empty() || users.insert(row[0]).second) continue;
    warnings.push_back("several lines begin with " + quoted(row[0], 40) +
                       ", which is read as a user with items in all of them; if a line is a basket of items alone, "
                       "write \"user item\" lines");
    return;
  }
}

bool is_grouped_by_second(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request) {
  if (!seen.names.empty() || !request.columns.empty() || request.role != FileRole::interactions) return false;
  const auto first = fields_of(seen.data, layout.first);
  const auto second = fields_of(seen.data, layout.second);
  if (first.size() != second.size() || first.size() < fewest_lines_of_groups) return false;
  const auto runs = [](const std::vector<std::string>& fields) {
    std::size_t count = 1;
    for (std::size_t i = 1; i < fields.size(); ++i) count += fields[i] != fields[i - 1] ? 1 : 0;
    return count;
  };
  const auto groups = std::set(second.begin(), second.end()).size();
  return groups >= fewest_groups && runs(second) == groups && 2 * groups <= second.size() &&
         10 * runs(first) >= 9 * first.size();
}

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
    } else if (all(fields, is_fraction) && !all(fields, is_visitor_number)) {
      warn(column, role, "looks like real numbers", fields);
    } else if (role == "user" && layout.columns > 2 && counts_lines(fields) &&
               (seen.names.empty() || !means(seen.names[column], Meaning::user))) {
      warn(column, role, "counts the lines, as an index does", fields);
    }
    if (const auto fault =
            fields.empty() ? std::string() : fault_of_ids(layout, seen.names.empty() ? "" : seen.names[column], fields);
        !fault.empty()) {
      warn(column, role, fault, fields);
    }
  };
  check_ids(layout.first, social ? "source" : "user");
  check_ids(layout.second, social ? "target" : "item");
  if (!seen.names.empty()) {
    warn_of_names(layout, seen, request, warnings);
    warn_of_named_weights(layout, seen, request, warnings);
    warn_of_dates(layout, seen, request, warnings);
  }
  const auto thousands = [](const std::string& field) { return may_be_thousands(field, '.'); };
  const bool by_semicolon = layout.format == TextFormat::csv && layout.separator == ';';
  if (const auto weights = fields_of(seen.data, layout.weight); by_semicolon && all(weights, thousands)) {
    warn(layout.weight, "weight",
         "is read as numbers with three decimals; if these are thousands, write them without what separates them",
         weights);
  }
  const auto is_day = [](const std::string& field) { return is_spreadsheet_day(value_of(field)); };
  if (const auto times = fields_of(seen.data, layout.time);
      layout.small_times && all(times, is_day) && std::ranges::any_of(times, is_fraction)) {
    warn(
        layout.time, "time",
        "looks like days as spreadsheets count them, which are read as such where the column's name has \"date\" in it",
        times);
  }
  if (seen.names.empty()) {
    warn_of_swapped_ids(layout, seen, request, warnings);
    warn_of_order(layout, seen, request, warnings);
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
