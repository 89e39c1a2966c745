#include "ingest/file_layout.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t lines_looked_at = 200;

struct HeadLine {
  std::string_view text;  // without its line end
  std::size_t next;       // offset in the head of the line after it
  std::int64_t number;    // from 1
};

// The first lines that are not blank. The last one counts only if it is whole or there is no other.
std::vector<HeadLine> head_lines(std::string_view head, std::size_t begin) {
  std::vector<HeadLine> lines;
  std::int64_t number = 0;
  for (std::size_t at = begin; at < head.size() && lines.size() < lines_looked_at;) {
    auto end = head.find('\n', at);
    ++number;
    if (end == std::string_view::npos) {
      if (!lines.empty()) break;
      end = head.size();
    }
    auto text = head.substr(at, end - at);
    if (text.ends_with('\r')) text.remove_suffix(1);
    at = std::min(head.size(), end + 1);
    if (text.find_first_not_of(" \t") != std::string_view::npos) lines.push_back({text, at, number});
  }
  return lines;
}

std::vector<std::string> split_at(std::string_view line, std::string_view separator) {
  std::vector<std::string> fields;
  for (;;) {
    const auto end = line.find(separator);
    fields.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + separator.size());
  }
}

std::vector<std::string> split_spaces(std::string_view line) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(" \t", at), line.size());
    fields.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return fields;
}

std::vector<std::string> split_quoted(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  for (auto& field : fields) {
    field.erase(0, std::min(field.find_first_not_of(' '), field.size()));
    field.erase(field.find_last_not_of(' ') + 1);
  }
  return fields;
}

std::vector<std::string> split(std::string_view line, TextFormat format) {
  switch (format) {
    case TextFormat::csv:
      return split_quoted(line);
    case TextFormat::ml:
      return split_at(line, "::");
    case TextFormat::ssv:
    case TextFormat::lightgcn:
      return split_spaces(line);
    default:
      return split_at(line, "\t");
  }
}

bool is_typed_header(std::string_view line) {
  return std::ranges::all_of(split_at(line, "\t"), [](const std::string& field) {
    const auto type = field.substr(std::min(field.find(':'), field.size()));
    return type == ":token" || type == ":float" || type == ":token_seq" || type == ":float_seq";
  });
}

std::string shown(const HeadLine& line) {
  return "line " + std::to_string(line.number) + ": \"" + std::string(line.text.substr(0, 80)) +
         (line.text.size() > 80 ? "...\"" : "\"");
}

bool is_integer(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Pairs and triples by spaces look like adjacency lists of users with one or two items.
TextFormat tell_spaces(const std::vector<HeadLine>& lines, const std::string& name, const ColumnChoice& columns) {
  if (looks_like_header(split_spaces(lines[0].text), FileRole::interactions, columns)) return TextFormat::ssv;
  std::map<std::size_t, std::size_t> lines_of_width;
  bool integers = true;
  for (const auto& line : lines) {
    const auto fields = split_spaces(line.text);
    ++lines_of_width[fields.size()];
    integers = integers && std::ranges::all_of(fields, is_integer);
  }
  if (lines_of_width.size() == 1 && lines_of_width.begin()->first == 2) return TextFormat::ssv;
  std::size_t most = 0;
  for (const auto& [width, count] : lines_of_width) most = std::max(most, count);
  if (integers && 2 * most < lines.size()) return TextFormat::lightgcn;
  throw InputError(name + ": the format cannot be told: fields separated by spaces may be \"user item weight\" or an " +
                   "adjacency list \"user item item ...\"; set input.format = \"ssv\" or \"lightgcn\" (" +
                   shown(lines[0]) + ")");
}

TextFormat tell_format(const std::vector<HeadLine>& lines, const std::string& name, FileRole role,
                       const ColumnChoice& columns) {
  auto base = name;
  if (base.ends_with(".gz")) base.resize(base.size() - 3);
  if (is_typed_header(lines[0].text)) return TextFormat::inter;
  if (base.ends_with(".inter") || base.ends_with(".net")) {
    throw InputError(name + ": a RecBole file starts with a header such as user_id:token<tab>item_id:token; this has " +
                     shown(lines[0]) + "; if it is none, set input.format");
  }
  if (base.ends_with(".tsv")) return TextFormat::tsv;
  if (base.ends_with(".csv")) return TextFormat::csv;
  const auto most_have = [&](std::string_view separator) {
    const auto have = std::ranges::count_if(
        lines, [&](const HeadLine& line) { return line.text.find(separator) != std::string_view::npos; });
    return 2 * static_cast<std::size_t>(have) > lines.size();
  };
  if (most_have("\t")) return TextFormat::tsv;
  if (most_have("::")) return TextFormat::ml;
  if (most_have(",")) return TextFormat::csv;
  if (most_have(" ")) return role == FileRole::interactions ? tell_spaces(lines, name, columns) : TextFormat::ssv;
  throw InputError(name + ": the format cannot be told: no tab, comma, \"::\" or space separates columns (" +
                   shown(lines[0]) + "); set input.format if it is one of tsv, csv, ssv, ml, inter, lightgcn");
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

struct Head {
  std::vector<HeadLine> lines;  // at least one
  std::size_t begin = 0;        // of the first line: after the byte order mark
};

Head read_lines(std::string_view head, const std::string& name) {
  Head result;
  result.begin = head.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  result.lines = head_lines(head, result.begin);
  if (result.lines.empty()) throw InputError(name + ": the file is empty; leave it out or put data into it");
  if (result.lines[0].text.find('\0') != std::string_view::npos) {
    throw InputError(name + ":" + std::to_string(result.lines[0].number) +
                     ": the line holds a NUL byte; the file must be text in UTF-8");
  }
  return result;
}

void skip_header(FileLayout& layout, const std::vector<HeadLine>& lines, const std::string& name) {
  if (lines.size() < 2) {
    throw InputError(name + ": the file is empty but for its header; leave it out or put data into it");
  }
  layout.data_begin = static_cast<std::int64_t>(lines[0].next);
  layout.header_lines = lines[0].number;
}

}  // namespace

FileLayout detect_layout(std::string_view head, const std::string& name, FileRole role, const std::string& format,
                         const ColumnChoice& columns) {
  FileLayout layout;
  layout.role = role;
  const auto [lines, begin] = read_lines(head, name);
  layout.data_begin = static_cast<std::int64_t>(begin);
  layout.format = format == "auto" ? tell_format(lines, name, role, columns) : named_format(format);
  if (layout.format == TextFormat::lightgcn) return layout;

  const bool typed =
      is_typed_header(lines[0].text) && (layout.format == TextFormat::inter || layout.format == TextFormat::tsv);
  if (layout.format == TextFormat::inter && !typed) {
    throw InputError(name + ": a RecBole file starts with a header such as user_id:token<tab>item_id:token; this has " +
                     shown(lines[0]));
  }
  const auto fields = split(lines[0].text, layout.format);
  const bool header = typed || looks_like_header(fields, role, columns);
  layout.columns = static_cast<std::int32_t>(fields.size());
  if (header) skip_header(layout, lines, name);
  choose_columns(layout, header ? fields : std::vector<std::string>{}, typed, fields, name, role, columns);
  return layout;
}

TableHeader detect_table(std::string_view head, const std::string& name) {
  const auto lines = read_lines(head, name).lines;
  TableHeader header;
  const bool typed = is_typed_header(lines[0].text);
  const bool tabs = typed || lines[0].text.find('\t') != std::string_view::npos;
  header.layout.format = tabs ? TextFormat::tsv : TextFormat::csv;
  const auto fields = split(lines[0].text, header.layout.format);
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
      throw InputError(place + "two columns are named \"" + column + "\"");
    }
    header.names.push_back(column);
    if (typed) header.types.push_back(field.substr(colon + 1));
  }
  skip_header(header.layout, lines, name);
  return header;
}

}  // namespace cohort
