#include "ingest/records/file_layout.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/records/column_choice.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/file_head.hpp"
#include "ingest/records/header_rules.hpp"
#include "ingest/records/layout_warnings.hpp"

namespace cohort {

namespace {

// What a file's head shows before its columns are chosen.
struct Look {
  FileLayout layout;  // without the columns
  bool typed = false;
  bool header = false;
  std::string first_line;
  Rows rows;  // of the first lines, a header among them
  std::int64_t begin = 0;
  std::int64_t second_begin = 0;  // after the first line
  std::int64_t first_number = 0;  // of the first line
};

Rows split_all(const std::vector<HeadLine>& lines, TextFormat format) {
  Rows rows;
  for (const auto& line : lines) rows.push_back(split_line(line.text, format));
  return rows;
}

// What to say where a line has no separator that is known, but one that others use.
std::string other_separator(std::string_view line) {
  for (const std::string_view separator : {";", "|"}) {
    if (line.find(separator) != std::string_view::npos) {
      return "; if its fields are separated by \"" + std::string(separator) +
             "\", write them with tabs or commas (and numbers with decimal points)";
    }
  }
  return "";
}

constexpr const char* separate_columns = "separate its columns by tabs or commas";

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
  if (lines_of_width.size() == 1 && lines_of_width.begin()->first == 2) return TextFormat::ssv;
  std::size_t most = 0;
  for (const auto& [width, count] : lines_of_width) most = std::max(most, count);
  if (integers && 2 * most < lines.size()) return TextFormat::lightgcn;
  const auto remedy = format_remedy(request, "ssv or lightgcn");
  throw InputError(name + ": the format cannot be told: fields separated by spaces may be \"user item weight\" or an " +
                   "adjacency list \"user item item ...\"; " + (remedy.empty() ? separate_columns : remedy) + " (" +
                   shown(lines[0]) + ")");
}

InputError lacks_typed_header(const std::string& name, const HeadLine& line, const std::string& what_else) {
  return InputError(name + ": a RecBole file starts with a header such as user_id:token<tab>item_id:token; this has " +
                    shown(line) + what_else);
}

TextFormat tell_format(const std::vector<HeadLine>& lines, const std::string& name, const LayoutRequest& request) {
  auto base = name;
  if (base.ends_with(".gz")) base.resize(base.size() - 3);
  const bool may_have_header = request.header.value_or(true);
  if (may_have_header && is_typed_header(lines[0].text)) return TextFormat::inter;
  if (base.ends_with(".tsv")) return TextFormat::tsv;
  if (base.ends_with(".csv")) return TextFormat::csv;
  if (may_have_header && (base.ends_with(".inter") || base.ends_with(".net"))) {
    throw lacks_typed_header(
        name, lines[0],
        request.settable ? "; if it is none, set input.header = false" : "; if it is none, give it another name");
  }
  const auto most_have = [&](std::string_view separator) {
    const auto have = std::ranges::count_if(
        lines, [&](const HeadLine& line) { return line.text.find(separator) != std::string_view::npos; });
    return 2 * static_cast<std::size_t>(have) > lines.size();
  };
  if (most_have("\t")) return TextFormat::tsv;
  if (most_have("::")) return TextFormat::ml;
  if (most_have(",")) return TextFormat::csv;
  if (most_have(" ")) {
    return request.role == FileRole::interactions ? tell_spaces(lines, name, request) : TextFormat::ssv;
  }
  const auto remedy = format_remedy(request, "tsv, csv, ssv, ml, inter or lightgcn");
  throw InputError(name + ": the format cannot be told: no tab, comma, \"::\" or space separates columns (" +
                   shown(lines[0]) + ")" + (remedy.empty() ? "" : "; " + remedy + " if it is one of them") +
                   other_separator(lines[0].text));
}

TextFormat named_format(const std::string& format) {
  static const std::map<std::string, TextFormat, std::less<>> names{
      {"tsv", TextFormat::tsv}, {"csv", TextFormat::csv},     {"ssv", TextFormat::ssv},
      {"ml", TextFormat::ml},   {"inter", TextFormat::inter}, {"lightgcn", TextFormat::lightgcn}};
  const auto found = names.find(format);
  if (found == names.end()) {
    throw InputError("input.format = \"" + format + "\" is none of auto, tsv, csv, ssv, ml, inter, lightgcn");
  }
  return found->second;
}

// Words above lines of whole numbers alone.
bool is_adjacency_header(const Rows& rows) {
  return rows.size() > 1 && std::ranges::none_of(rows[0], is_whole_number) &&
         std::all_of(rows.begin() + 1, rows.end(),
                     [](const auto& fields) { return std::ranges::all_of(fields, is_whole_number); });
}

Look look_at(std::string_view head, const std::string& name, const LayoutRequest& request) {
  auto [lines, begin] = read_head_lines(head, name);
  Look look;
  look.layout.role = request.role;
  look.layout.format = request.format == "auto" ? tell_format(lines, name, request) : named_format(request.format);
  const auto format = look.layout.format;
  if (format == TextFormat::csv) lines = csv_records(head, begin);
  look.begin = static_cast<std::int64_t>(begin);
  look.second_begin = static_cast<std::int64_t>(lines[0].next);
  look.first_number = lines[0].number;
  look.first_line = lines[0].text;
  look.rows = split_all(lines, format);
  look.typed = (format == TextFormat::inter || format == TextFormat::tsv) && request.header.value_or(true) &&
               is_typed_header(lines[0].text);
  if (format == TextFormat::inter && !look.typed) throw lacks_typed_header(name, lines[0], "");
  if (format == TextFormat::lightgcn) {
    look.header = request.header.value_or(is_adjacency_header(look.rows));
    return look;
  }
  look.layout.columns = static_cast<std::int32_t>(look.rows[0].size());
  look.header = look.typed || request.header.value_or(is_header(look.rows, request.role, request.columns));
  if (look.layout.columns == 1 && !other_separator(lines[0].text).empty()) {
    throw InputError(name + ":" + std::to_string(lines[0].number) + ": the line has one column" +
                     other_separator(lines[0].text) + " (" + shown(lines[0]) + ")");
  }
  return look;
}

void skip_first_line(FileLayout& layout, bool more_lines, std::int64_t begin, std::int64_t number,
                     const std::string& name) {
  if (!more_lines) {
    throw InputError(name + ": the file is empty but for its header; leave it out or put data into it");
  }
  layout.data_begin = begin;
  layout.header_lines = number;
}

// named: the look whose header names the columns; null: nothing does.
DetectedLayout choose_layout(const Look& look, const Look* named, const std::string& name,
                             const LayoutRequest& request) {
  DetectedLayout result{look.layout, {}};
  auto& layout = result.layout;
  layout.data_begin = look.begin;
  auto data = look.rows;
  if (look.header) {
    const auto more_lines = std::ranges::count(look.first_line, '\n');
    skip_first_line(layout, look.rows.size() > 1, look.second_begin, look.first_number + more_lines, name);
    result.notes.header = look.first_line;
    if (request.header == true && layout.format != TextFormat::lightgcn && !look.typed && looks_like_data(look.rows)) {
      result.notes.warnings.push_back("input.header = true, but the first line looks like data: " +
                                      quoted(look.first_line, 80) + "; it is not read. " +
                                      (request.settable ? "Set input.header = \"auto\" or false"
                                                        : "The result was made so; put a header before it"));
    }
    data.erase(data.begin());
  } else if (named) {
    result.notes.header = named->first_line;
  }
  if (!data.empty()) result.notes.sample = data[0];
  if (layout.format == TextFormat::lightgcn) return result;
  ColumnsSeen seen{name, {}, false, std::move(data)};
  if (named) {
    seen.names = named->rows[0];
    seen.typed = named->typed;
    for (const auto& field : seen.names) result.notes.names.emplace_back(without_type(field));
  }
  choose_columns(layout, seen, request, result.notes.warnings);
  warn_of_shapes(layout, seen, request, result.notes.warnings);
  return result;
}

bool same_separator(const Look& a, const Look& b) {
  const auto family = [](const Look& look) {
    return look.layout.format == TextFormat::inter ? TextFormat::tsv : look.layout.format;
  };
  return family(a) == family(b);
}

// How a file of a list differs from the first; empty: not at all.
std::string differences(const Look& look, const DetectedLayout& a, const Look& first, const DetectedLayout& b) {
  std::string text;
  const auto differ = [&](bool differs, const std::string& what) {
    if (differs) text += (text.empty() ? "" : ", ") + what;
  };
  differ(!same_separator(look, first), "another separator");
  differ(a.layout.columns != b.layout.columns,
         counted(a.layout.columns, "column") + ", not " + std::to_string(b.layout.columns));
  differ(a.notes.header.empty() != b.notes.header.empty(), a.notes.header.empty() ? "no header" : "a header");
  const auto one_has = [&](std::int32_t x, std::int32_t y, const std::string& what) {
    differ((x < 0) != (y < 0), (x < 0 ? "no " : "a ") + what);
  };
  one_has(a.layout.weight, b.layout.weight, "weight");
  one_has(a.layout.time, b.layout.time, "time");
  one_has(a.layout.event, b.layout.event, "event");
  return text;
}

}  // namespace

std::string format_remedy(const LayoutRequest& request, std::string_view formats) {
  if (request.role != FileRole::interactions) return "";
  if (request.settable) return "set input.format to " + std::string(formats);
  return request.has_format_option ? "give --format " + std::string(formats) : "";
}

DetectedLayout detect_layout(std::string_view head, const std::string& name, const LayoutRequest& request) {
  const auto look = look_at(head, name, request);
  return choose_layout(look, look.header ? &look : nullptr, name, request);
}

std::vector<DetectedLayout> detect_layouts(const std::vector<std::string>& names, const LayoutRequest& request,
                                           const std::function<std::string(std::size_t)>& head) {
  // Of many files few lines are kept.
  const std::size_t kept = names.size() > 100 ? 20 : 200;
  std::vector<Look> looks;
  for (std::size_t f = 0; f < names.size(); ++f) {
    looks.push_back(look_at(head(f), names[f], request));
    if (looks[f].rows.size() > kept) looks[f].rows.resize(kept);
  }
  const auto with_header = std::ranges::find_if(looks, &Look::header);
  std::vector<DetectedLayout> layouts;
  for (std::size_t f = 0; f < names.size(); ++f) {
    auto& look = looks[f];
    const bool part = with_header != looks.end() && !request.header && same_separator(look, *with_header) &&
                      look.layout.columns == with_header->layout.columns;
    look.header = look.header || (part && look.first_line == with_header->first_line);
    const Look* named = look.header ? &look : part ? &*with_header : nullptr;
    layouts.push_back(choose_layout(look, named, names[f], request));
    if (named && named != &look) {
      layouts[f].notes.header_of = names[with_header - looks.begin()];
    }
    if (const auto text = differences(look, layouts[f], looks[0], layouts[0]); !text.empty()) {
      layouts[f].notes.warnings.push_back("is written differently from " + names[0] + ": " + text +
                                          "; give files of different kinds the same columns, or read them apart");
    }
  }
  return layouts;
}

TableHeader detect_table(std::string_view head, const std::string& name) {
  auto [lines, begin] = read_head_lines(head, name);
  TableHeader header;
  const bool typed = is_typed_header(lines[0].text);
  const bool tabs = typed || lines[0].text.find('\t') != std::string_view::npos;
  header.layout.format = tabs ? TextFormat::tsv : TextFormat::csv;
  if (!tabs) lines = csv_records(head, begin);
  const auto fields = split_line(lines[0].text, header.layout.format);
  const auto place = name + ":" + std::to_string(lines[0].number) + ": ";
  if (fields.size() < 2) {
    throw InputError(place +
                     "a table of attributes needs a header that names its columns, separated by tabs or commas, "
                     "and the ids in the first; this is " +
                     shown(lines[0]));
  }
  header.layout.columns = static_cast<std::int32_t>(fields.size());
  for (const auto& field : fields) {
    const auto colon = typed ? field.find(':') : std::string::npos;
    const auto column = field.substr(0, colon);
    // pandas leaves the name of the first column out.
    if (column.empty() && !header.names.empty()) {
      throw InputError(place + "column " + std::to_string(header.names.size()) + " (from 0) has no name");
    }
    if (std::ranges::find(header.names, column) != header.names.end()) {
      throw InputError(place + "two columns are named " + quoted(column));
    }
    header.names.push_back(column);
    if (typed) header.types.push_back(field.substr(colon + 1));
  }
  skip_first_line(header.layout, lines.size() > 1, static_cast<std::int64_t>(lines[0].next),
                  lines[0].number + std::ranges::count(lines[0].text, '\n'), name);
  header.notes.header = lines[0].text;
  header.notes.names = header.names;
  header.notes.sample = split_line(lines[1].text, header.layout.format);
  return header;
}

}  // namespace cohort
