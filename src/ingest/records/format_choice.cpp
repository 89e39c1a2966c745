#include "ingest/records/format_choice.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/utf8.hpp"
#include "ingest/files/packed_file.hpp"
#include "ingest/records/column_choice.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/dialect_choice.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/header_rules.hpp"

namespace cohort {

namespace {

constexpr std::size_t lines_that_agree = 100;
constexpr const char* separate_columns = "separate its columns by tabs or commas";
constexpr std::string_view formats = "tsv, csv, ssv, ml, inter, lightgcn or json";

Rows split_all(const std::vector<HeadLine>& lines, TextFormat format, char separator = ',') {
  Rows rows;
  for (const auto& line : lines) rows.push_back(split_line(line.text, format, separator));
  return rows;
}

// By quotes where fields have them; a tab has none.
Rows split_by(const std::vector<HeadLine>& lines, char separator) {
  return separator == '\t' ? split_all(lines, TextFormat::tsv) : split_all(lines, TextFormat::csv, separator);
}

// Whether commas stand in numbers only, as in 3,5, and none in the first two columns, which are ids.
bool only_decimal_commas(const Rows& rows) {
  return std::ranges::all_of(rows, [](const auto& row) {
    std::size_t column = 0;
    return std::ranges::all_of(row, [&](const std::string& field) {
      const bool id = column++ < 2;
      return field.find(',') == std::string::npos || (!id && !with_decimal_point(field).empty());
    });
  });
}

// Pairs and triples by spaces look like adjacency lists of users with one or two items.
TextFormat tell_spaces(const std::vector<HeadLine>& lines, const std::string& name, const LayoutRequest& request) {
  const auto rows = split_all(lines, TextFormat::ssv);
  if (is_header(rows, FileRole::interactions, request.columns)) return TextFormat::ssv;
  std::map<std::size_t, std::size_t> lines_of_width;
  bool integers = true;
  for (const auto& fields : rows) {
    ++lines_of_width[fields.size()];
    integers = integers && std::ranges::all_of(fields, is_whole_number);
  }
  const auto width = lines_of_width.begin()->first;
  if (lines_of_width.size() == 1 && width == 2) return TextFormat::ssv;
  // CiteULike's lists.
  const auto counts_itself = [](const auto& fields) { return fields[0] == std::to_string(fields.size() - 1); };
  if (lines_of_width.size() > 1 && rows.size() >= 3 && std::ranges::all_of(rows, counts_itself)) {
    throw InputError(name + ": every line begins with the number of things in it, so there are no users in it (" +
                     shown(lines[0]) + "); write \"user item\" lines");
  }
  // Items of an adjacency list are no fractions.
  const auto weighed = [&](const auto& fields) {
    return std::ranges::any_of(fields.begin() + 2, fields.end(), is_fraction);
  };
  if (lines_of_width.size() == 1 && (width == 3 || width == 4) && std::ranges::any_of(rows, weighed)) {
    return TextFormat::ssv;
  }
  std::size_t most = 0;
  for (const auto& [columns, count] : lines_of_width) most = std::max(most, count);
  if (integers && 2 * most < lines.size()) return TextFormat::lightgcn;
  const auto remedy = format_remedy(request, "ssv or lightgcn");
  throw InputError(name + ": the format cannot be told: fields separated by spaces may be \"user item weight\" or an " +
                   "adjacency list \"user item item ...\"; " + (remedy.empty() ? separate_columns : remedy) + " (" +
                   shown(lines[0]) + ")");
}

// Lists of edges with a tab in some places and blanks in others, as KONECT has them.
bool is_mixed_blanks(const std::vector<HeadLine>& lines) {
  return std::ranges::all_of(lines, [](const HeadLine& line) {
    const auto tab = line.text.find('\t');
    const auto blank = line.text.find(' ');
    const auto fields = split_spaces(line.text);
    return tab != std::string_view::npos && blank < tab && fields.size() >= 3 && std::ranges::all_of(fields, is_number);
  });
}

// With quotes where some column has them in every line, as programs write that quote all texts; else they are letters.
FormatChoice by_tabs(const std::vector<HeadLine>& lines) {
  const bool quotes = has_quoted_column(split_all(lines, TextFormat::tsv));
  return quotes ? FormatChoice{TextFormat::csv, '\t'} : FormatChoice{TextFormat::tsv};
}

FormatChoice tell_format(const FileHead& head, const std::string& name, const LayoutRequest& request) {
  const auto& lines = head.lines;
  auto base = std::string(without_packing(name));
  const bool may_have_header = request.header.value_or(true);
  if (may_have_header && is_typed_header(lines[0].text)) return {TextFormat::inter};
  const auto most_have = [&](std::string_view separator) {
    const auto have = std::ranges::count_if(
        lines, [&](const HeadLine& line) { return line.text.find(separator) != std::string_view::npos; });
    return 2 * static_cast<std::size_t>(have) > lines.size();
  };
  if (head.matrix || is_mixed_blanks(lines)) return {TextFormat::ssv};
  if (head.ruled) return {TextFormat::csv, '|'};
  if (base.ends_with(".tsv") && most_have("\t")) return by_tabs(lines);
  const char agreed = agreed_separator(lines, base.ends_with(".csv") ? ",;|\t" : "\t,;|");
  if (base.ends_with(".tsv"))
    return {agreed == '\0' ? TextFormat::tsv : TextFormat::csv, agreed == '\0' ? ',' : agreed};
  if (base.ends_with(".csv")) {
    if (agreed == '\t') return by_tabs(lines);
    return {TextFormat::csv, agreed == '\0' ? (!most_have(",") && most_have(";") ? ';' : ',') : agreed};
  }
  if (may_have_header && (base.ends_with(".inter") || base.ends_with(".net"))) {
    throw lacks_typed_header(
        name, lines[0],
        request.settable ? "; if it is none, set input.header = false" : "; if it is none, give it another name");
  }
  if (most_have("::") && agreed != '\t') return {TextFormat::ml};
  if (agreed == '\t') return by_tabs(lines);
  if (agreed == ';' || agreed == '|') return {TextFormat::csv, agreed};
  if (most_have("\t")) return {TextFormat::tsv};
  if (agreed == ',' || most_have(",")) return {TextFormat::csv};
  for (const char other : {';', '|'}) {
    if (most_have(std::string_view(&other, 1)) && !most_have(" ")) return {TextFormat::csv, other};
  }
  if (most_have(" ")) {
    const bool list = head.comment == '\0' && request.role == FileRole::interactions;
    return {list ? tell_spaces(lines, name, request) : TextFormat::ssv};
  }
  const auto remedy = format_remedy(request, formats);
  throw InputError(name +
                   ": the format cannot be told: no tab, comma, \";\", \"|\", \"::\" or space separates columns (" +
                   shown(lines[0]) + ")" + (remedy.empty() ? "" : "; " + remedy + " if it is one of them") +
                   (request.settable ? ", or name what separates them in input.separator" : ""));
}

TextFormat text_format(InputFormat format) {
  switch (format) {
    case InputFormat::automatic:
      break;
    case InputFormat::tsv:
      return TextFormat::tsv;
    case InputFormat::csv:
      return TextFormat::csv;
    case InputFormat::ssv:
      return TextFormat::ssv;
    case InputFormat::ml:
      return TextFormat::ml;
    case InputFormat::inter:
      return TextFormat::inter;
    case InputFormat::lightgcn:
      return TextFormat::lightgcn;
    case InputFormat::json:
      return TextFormat::json;
  }
  COHORT_CHECK(false, "a format that is yet to be told");
  return TextFormat::tsv;
}

// input.separator; a backslash and t is a tab where nobody made it one before.
FormatChoice named_separator(const std::string& separator) {
  if (separator == "\t" || separator == "\\t" || separator == "tab") return {TextFormat::tsv};
  if (separator == "::") return {TextFormat::ml};
  if (separator == " ") return {TextFormat::ssv};
  if (!several_characters(separator).empty()) return {TextFormat::csv, rare_separator};
  const bool one = separator.size() == 1 && static_cast<unsigned char>(separator[0]) < 0x80;
  if (!one || separator == "\"" || separator == "\n" || separator == "\r" || separator[0] == '\0' ||
      std::isalnum(static_cast<unsigned char>(separator[0])) != 0) {
    throw InputError("input.separator = " + quoted(separator) +
                     " separates no columns; give one character that is no letter, digit or double quote, or several, "
                     "one of which is no letter, digit or blank");
  }
  return {TextFormat::csv, separator[0]};
}

}  // namespace

char agreed_separator(const std::vector<HeadLine>& all, std::string_view separators) {
  const std::vector<HeadLine> lines(all.begin(),
                                    all.begin() + std::min(std::ssize(all), std::ptrdiff_t{lines_that_agree}));
  std::map<char, Rows> agreed;
  for (const char separator : separators) {
    auto rows = split_by(lines, separator);
    if (same_width(rows)) agreed.emplace(separator, std::move(rows));
  }
  if (agreed.empty()) return '\0';
  char best = '\0';
  std::ptrdiff_t most = -1;
  for (const char separator : separators) {
    const auto rows = agreed.find(separator);
    if (rows == agreed.end()) continue;
    const auto known = known_names_in(rows->second[0]);
    if (known > most) {
      best = separator;
      most = known;
    }
  }
  if (most > 0 || best != ',' || agreed.size() == 1) return best;
  for (const char other : {';', '|'}) {
    const auto rows = agreed.find(other);
    if (rows != agreed.end() && only_decimal_commas(rows->second)) return other;
  }
  return best;
}

InputError lacks_typed_header(const std::string& name, const HeadLine& line, const std::string& what_else) {
  return InputError(name + ": a RecBole file starts with a header such as user_id:token<tab>item_id:token; this has " +
                    shown(line) + what_else);
}

FormatChoice choose_format(const FileHead& head, const std::string& name, const LayoutRequest& request) {
  // Hive's, and what dialects are rewritten to.
  const bool may_be_rare = (request.format == InputFormat::automatic || request.format == InputFormat::csv) &&
                           request.separator != "," && request.separator != ";" && request.separator != "|";
  const auto holds_rare = [](const HeadLine& line) { return line.text.find(rare_separator) != std::string_view::npos; };
  if (may_be_rare && holds_rare(head.lines[0])) {
    // Of rewritten records a few may be malformed.
    const bool nearly_all = 20 * std::ranges::count_if(head.lines, holds_rare) >= 19 * std::ssize(head.lines);
    if (agreed_separator(head.lines, std::string_view(&rare_separator, 1)) != '\0' ||
        (nearly_all && agreed_separator(head.lines, "\t,;|") == '\0')) {
      return {TextFormat::csv, rare_separator};
    }
  }
  if (request.format != InputFormat::automatic) {
    FormatChoice choice{text_format(request.format)};
    if (choice.format != TextFormat::csv) return choice;
    const auto named = request.separator == "auto" ? FormatChoice{TextFormat::csv, agreed_separator(head.lines, ",;|")}
                                                   : named_separator(request.separator);
    if (named.format == TextFormat::tsv) return {TextFormat::csv, '\t'};
    return named.format == TextFormat::csv && named.separator != '\0' ? named : choice;
  }
  return request.separator == "auto" ? tell_format(head, name, request) : named_separator(request.separator);
}

}  // namespace cohort
