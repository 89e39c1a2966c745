#include "ingest/records/file_layout.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/records/column_choice.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/file_head.hpp"
#include "ingest/records/format_choice.hpp"
#include "ingest/records/header_rules.hpp"
#include "ingest/records/json_lines.hpp"
#include "ingest/records/layout_warnings.hpp"
#include "ingest/records/time_unit.hpp"

namespace cohort {

namespace {

// What a file's head shows before its columns are chosen.
struct Look {
  FileLayout layout;  // without the columns
  bool typed = false;
  bool header = false;
  bool half_matrix = false;
  std::string titles;  // see FileHead
  std::string first_line;
  Rows rows;  // of the first lines, a header among them
  std::int64_t begin = 0;
  std::int64_t lines_before = 0;  // comments
  std::int64_t second_begin = 0;  // after the first line
  std::int64_t first_number = 0;  // of the first line
};

Rows split_all(const std::vector<HeadLine>& lines, TextFormat format, char separator) {
  Rows rows;
  for (const auto& line : lines) rows.push_back(split_line(line.text, format, separator));
  return rows;
}

// Numbers with decimal commas are written with points, as everything here knows them; whether there are any.
bool mend_decimal_commas(Rows& rows) {
  bool any = false;
  for (auto& row : rows) {
    for (std::size_t c = 2; c < row.size(); ++c) {
      const auto number = with_decimal_point(row[c]);
      if (number.empty()) continue;
      row[c] = number;
      any = true;
    }
  }
  return any;
}

// Lines of JSON as a table: a header of all keys, and a line for each object.
std::string as_table(std::string_view head, const std::string& name) {
  const auto lines = read_head_lines(head, name).lines;
  std::vector<std::string_view> objects;
  for (const auto& line : lines) objects.push_back(line.text);
  const auto keys = json_keys(objects);
  if (keys.empty()) throw InputError(name + ": no line is a JSON object with keys (" + shown(lines[0]) + ")");
  std::string text;
  for (const auto& key : keys) {
    if (&key != keys.data()) text += ',';
    append_csv_field(text, key);
  }
  text += '\n';
  JsonLines json(keys);
  for (const auto& object : objects) {
    if (json.read(object).empty()) text.append(json.begin(), json.end()).append("\n");
  }
  return text;
}

bool is_json(std::string_view head, const LayoutRequest& request) {
  return request.format == InputFormat::json || (request.format == InputFormat::automatic && is_json_lines(head));
}

// The head that a layout is told from, and what is asked of it: those of the table that JSON is.
Look look_at_json(std::string_view head, const std::string& name, LayoutRequest request);

// Words above lines of whole numbers alone.
bool is_adjacency_header(const Rows& rows) {
  return rows.size() > 1 && std::ranges::none_of(rows[0], is_whole_number) &&
         std::all_of(rows.begin() + 1, rows.end(),
                     [](const auto& fields) { return std::ranges::all_of(fields, is_whole_number); });
}

Look look_at(std::string_view head, const std::string& name, const LayoutRequest& request) {
  if (is_json(head, request)) return look_at_json(head, name, request);
  const auto whole = read_head_lines(head, name);
  auto lines = whole.lines;
  Look look;
  look.layout.role = request.role;
  const auto choice = choose_format(whole, name, request);
  look.layout.format = choice.format;
  look.layout.separator = choice.separator;
  look.layout.comment = whole.comment;
  look.layout.ruled = whole.ruled;
  look.half_matrix = whole.half_matrix;
  look.titles = whole.titles;
  const auto format = look.layout.format;
  if (format == TextFormat::csv && whole.comment == '\0' && !whole.ruled) {
    lines = csv_records(head, whole.begin, choice.separator, whole.lines_before + 1);
  }
  look.begin = static_cast<std::int64_t>(whole.begin);
  look.lines_before = whole.lines_before;
  look.second_begin = static_cast<std::int64_t>(lines[0].next);
  look.first_number = lines[0].number;
  look.first_line = lines[0].text;
  look.rows = split_all(lines, format, choice.separator);
  if (choice.separator != ',') look.layout.decimal_comma = mend_decimal_commas(look.rows);
  look.typed = (format == TextFormat::inter || format == TextFormat::tsv) && request.header.value_or(true) &&
               is_typed_header(lines[0].text);
  if (format == TextFormat::inter && !look.typed) throw lacks_typed_header(name, lines[0], "");
  if (format == TextFormat::lightgcn) {
    look.header = request.header.value_or(is_adjacency_header(look.rows));
    return look;
  }
  look.layout.columns = static_cast<std::int32_t>(look.rows[0].size());
  look.header =
      look.typed ||
      (!whole.matrix && request.header.value_or(whole.ruled || is_header(look.rows, request.role, request.columns)));
  if (look.header && look.rows.size() > 2 && are_types(look.rows[1])) {
    look.second_begin = static_cast<std::int64_t>(lines[1].next);
    look.first_number = lines[1].number;
    look.rows.erase(look.rows.begin() + 1);
  }
  return look;
}

Look look_at_json(std::string_view head, const std::string& name, LayoutRequest request) {
  request.format = InputFormat::csv;
  request.separator = ",";
  request.header = true;
  auto look = look_at(as_table(head, name), name, request);
  look.layout.format = TextFormat::json;
  look.layout.decimal_comma = false;
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

std::string passed_over_as_title(const std::string& titles) {
  return "the lines above that of the names are passed over as a title: " + quoted(titles, 80);
}

// Among the files of a list: what they are likely to share is said of the first alone.
enum class Place { alone, first, later };

// named: the look whose header names the columns; null: nothing does.
DetectedLayout choose_layout(const Look& look, const Look* named, const std::string& name, const LayoutRequest& request,
                             Place place) {
  DetectedLayout result{look.layout, {}};
  auto& layout = result.layout;
  layout.data_begin = look.begin;
  layout.header_lines = look.lines_before;
  auto data = look.rows;
  if (!look.titles.empty()) {
    result.notes.warnings.push_back(passed_over_as_title(look.titles));
  }
  if (layout.format == TextFormat::json) {
    layout.data_begin = 0;
    data.erase(data.begin());
  } else if (look.header) {
    const auto more_lines = std::ranges::count(look.first_line, '\n');
    skip_first_line(layout, look.rows.size() > 1 || place != Place::alone, look.second_begin,
                    look.first_number + more_lines, name);
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
  if (look.half_matrix && layout.role == FileRole::interactions) {
    result.notes.warnings.push_back(
        "is a symmetric matrix, of which one half is written and read: rows as users, columns as items; if both are "
        "users, give it as input.social");
  }
  if (layout.format == TextFormat::lightgcn) {
    warn_of_lists(data, result.notes.warnings);
    return result;
  }
  ColumnsSeen seen{name, {}, false, std::move(data)};
  if (named) {
    seen.names = named->rows[0];
    seen.typed = named->typed;
    for (const auto& field : seen.names) result.notes.names.emplace_back(without_type(field));
  }
  choose_columns(layout, seen, request, result.notes.warnings);
  choose_time_unit(layout, seen, request);
  if (place != Place::later) warn_of_years(layout, seen, request, result.notes.warnings);
  warn_of_shapes(layout, seen, request, result.notes.warnings);
  result.notes.grouped_by_second = is_grouped_by_second(layout, seen, request);
  return result;
}

bool same_separator(const Look& a, const Look& b) {
  const auto family = [](const Look& look) {
    const auto format = look.layout.format == TextFormat::inter ? TextFormat::tsv : look.layout.format;
    return std::pair(format, look.layout.separator);
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
  const auto fields_of = [](const Look& of, std::int32_t column) {
    return cohort::fields_of(std::span(of.rows).subspan(of.header ? 1 : 0), column);
  };
  const auto dated = [&](const Look& of, const DetectedLayout& told) {
    return told.layout.time >= 0 && are_dates(told.layout, fields_of(of, told.layout.time));
  };
  differ(a.layout.small_times && dated(first, b), "times that are no dates");
  differ(b.layout.small_times && dated(look, a), "times that are dates");
  for (const auto& [own, other] : {std::pair(a.layout.first, b.layout.first), {a.layout.second, b.layout.second}}) {
    const auto padding = other_padding(fields_of(look, own), fields_of(first, other));
    differ(!padding.empty(), padding);
  }
  return text;
}

}  // namespace

bool is_empty_head(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  return head.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

HeadTable head_table(std::string_view head, const std::string& name, const LayoutRequest& request) {
  auto look = look_at(head, name, request);
  HeadTable table{look.layout.format, {}, std::move(look.rows)};
  if (!look.header) return table;
  for (const auto& field : table.data[0]) table.names.emplace_back(without_type(field));
  table.data.erase(table.data.begin());
  return table;
}

std::string format_remedy(const LayoutRequest& request, std::string_view formats) {
  if (request.role != FileRole::interactions) return "";
  if (request.settable) return "set input.format to " + std::string(formats);
  return request.has_format_option ? "give --format " + std::string(formats) : "";
}

DetectedLayout detect_layout(std::string_view head, const std::string& name, const LayoutRequest& request) {
  const auto look = look_at(head, name, request);
  return choose_layout(look, look.header ? &look : nullptr, name, request, Place::alone);
}

std::vector<DetectedLayout> detect_layouts(const std::vector<std::string>& names, const LayoutRequest& request,
                                           const std::function<std::string(std::size_t)>& head) {
  // Of many files few lines are kept.
  const std::size_t kept = names.size() > 100 ? 20 : 200;
  std::vector<Look> looks;
  std::vector<char> empty;
  for (std::size_t f = 0; f < names.size(); ++f) {
    const auto text = head(f);
    empty.push_back(names.size() > 1 && is_empty_head(text) ? 1 : 0);
    looks.push_back(empty[f] ? Look() : look_at(text, names[f], request));
    if (looks[f].rows.size() > kept) looks[f].rows.resize(kept);
  }
  const auto with_header = std::ranges::find_if(looks, &Look::header);
  const auto filled = static_cast<std::size_t>(std::ranges::find(empty, 0) - empty.begin());
  if (!names.empty() && filled == names.size()) throw InputError(names[0] + ": the file is empty, as are all others");
  std::vector<DetectedLayout> layouts;
  for (std::size_t f = 0; f < names.size(); ++f) {
    auto& look = looks[f];
    const bool part = with_header != looks.end() && !request.header && same_separator(look, *with_header) &&
                      look.layout.columns == with_header->layout.columns;
    look.header = look.header || (part && look.first_line == with_header->first_line);
    const Look* named = look.header ? &look : part ? &*with_header : nullptr;
    if (empty[f]) {
      layouts.emplace_back().notes.warnings.push_back("the file is empty; it is passed over");
      continue;
    }
    const auto place = names.size() == 1 ? Place::alone : f == filled ? Place::first : Place::later;
    layouts.push_back(choose_layout(look, named, names[f], request, place));
    if (named && named != &look) {
      layouts[f].notes.header_of = names[with_header - looks.begin()];
    }
    if (const auto text = differences(look, layouts[f], looks[filled], layouts[filled]); !text.empty()) {
      layouts[f].notes.warnings.push_back("is written differently from " + names[filled] + ": " + text +
                                          "; write them alike, or read them apart");
    }
  }
  // Nothing is read of them, so they are like any other.
  for (std::size_t f = 0; f < names.size(); ++f) {
    if (!empty[f]) continue;
    layouts[f].layout = layouts[filled].layout;
    layouts[f].layout.data_begin = 0;
  }
  return layouts;
}

TableHeader detect_table(std::string_view head, const std::string& name) {
  if (is_json_lines(head)) {
    auto header = detect_table(as_table(head, name), name);
    header.layout.format = TextFormat::json;
    header.layout.data_begin = 0;
    header.layout.header_lines = 0;
    header.notes.header.clear();
    return header;
  }
  const auto whole = read_head_lines(head, name);
  auto lines = whole.lines;
  TableHeader header;
  auto& layout = header.layout;
  layout.comment = whole.comment;
  layout.ruled = whole.ruled;
  if (!whole.titles.empty()) header.notes.warnings.push_back(passed_over_as_title(whole.titles));
  const bool typed = is_typed_header(lines[0].text);
  if (typed) {
    layout.format = TextFormat::tsv;
  } else if (lines[0].text.find("::") != std::string_view::npos && lines[0].text.find('\t') == std::string_view::npos) {
    layout.format = TextFormat::ml;
  } else if (lines[0].text.find('\t') != std::string_view::npos) {
    layout.format = TextFormat::tsv;
  } else {
    layout.format = TextFormat::csv;
    const auto agreed = agreed_separator(lines, ",;|\x01");
    layout.separator = whole.ruled ? '|' : agreed == '\0' ? ',' : agreed;
  }
  if (layout.format == TextFormat::csv && whole.comment == '\0' && !whole.ruled) {
    lines = csv_records(head, whole.begin, layout.separator, whole.lines_before + 1);
  }
  const auto fields = split_line(lines[0].text, layout.format, layout.separator);
  const auto place = name + ":" + std::to_string(lines[0].number) + ": ";
  if (fields.size() < 2) {
    throw InputError(place +
                     "a table of attributes needs a header that names its columns, separated by tabs or commas, "
                     "and the ids in the first; this is " +
                     shown(lines[0]));
  }
  layout.columns = static_cast<std::int32_t>(fields.size());
  // MovieLens' tables.
  if ((layout.format == TextFormat::ml || layout.separator == '|') && is_number(fields[0])) {
    for (std::size_t c = 0; c < fields.size(); ++c) header.names.push_back("column_" + std::to_string(c + 1));
    header.names[0] = "";
    layout.data_begin = static_cast<std::int64_t>(whole.begin);
    layout.header_lines = whole.lines_before;
    header.notes.names = header.names;
    header.notes.sample = fields;
    return header;
  }
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
  skip_first_line(layout, lines.size() > 1, static_cast<std::int64_t>(lines[0].next),
                  lines[0].number + std::ranges::count(lines[0].text, '\n'), name);
  header.notes.header = lines[0].text;
  header.notes.names = header.names;
  header.notes.sample = split_line(lines[1].text, layout.format, layout.separator);
  return header;
}

}  // namespace cohort
