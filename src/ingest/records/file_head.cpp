#include "ingest/records/file_head.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/quoted_record.hpp"

namespace cohort {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t lines_looked_at = 200;

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
    while (text.ends_with('\r')) text.remove_suffix(1);
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

// What opens with a quote that is not closed is cut at its separators: the line is malformed, but shows what it is
// like.
std::vector<std::string> split_csv(std::string_view line, char separator) {
  auto text = std::string(line) + "\n";
  if (find_record_end(text.data(), text.data() + text.size(), true, text.size(), ScanState::field_start, separator)
          .unclosed) {
    return split_at(line, std::string_view(&separator, 1));
  }
  std::vector<std::string> fields;
  auto* p = text.data();
  auto* const end = p + line.size();
  for (;;) {
    const auto field = take_quoted_field(p, end, separator);
    fields.emplace_back(field.begin, field.end);
    if (p == end) return fields;
    ++p;
  }
}

// As the line of data is cut that stands below comments.
std::vector<std::string> split_like(std::string_view line, std::string_view data) {
  for (const std::string_view separator : {"\x01", "\t", ",", ";", "|"}) {
    if (data.find(separator) != std::string_view::npos) return split_at(line, separator);
  }
  return split_spaces(line);
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  return small;
}

// The line of sizes stands between the comments and the entries.
void take_matrix(FileHead& head, const std::string& name) {
  const auto banner = in_small_letters(head.lines[0].text);
  if (banner.find("coordinate") == std::string::npos || banner.find("complex") != std::string::npos) {
    throw InputError(name + ": is a Matrix Market file that is no list of entries (" + shown(head.lines[0]) +
                     "); write it in coordinate form, of real numbers, integers or a pattern");
  }
  const auto sizes = std::ranges::find_if(head.lines, [](const HeadLine& line) { return line.text[0] != '%'; });
  if (sizes == head.lines.end() || sizes + 1 == head.lines.end()) {
    throw InputError(name + ": the Matrix Market file has no entries in its first lines; leave it out or mend it");
  }
  head.comment = '%';
  head.matrix = true;
  head.half_matrix = banner.find("symmetric") != std::string::npos || banner.find("hermitian") != std::string::npos;
  head.begin = sizes->next;
  head.lines_before = sizes->number;
  head.lines.erase(head.lines.begin(), sizes + 1);
}

void take_comments(FileHead& head) {
  const char mark = head.lines[0].text[0];
  if (mark != '#' && mark != '%') return;
  const auto data =
      std::ranges::find_if(head.lines, [&](const HeadLine& line) { return !line.text.starts_with(mark); });
  if (data == head.lines.end()) return;
  const auto width = split_like(data->text, data->text).size();
  auto stripped = (data - 1)->text;
  stripped.remove_prefix(std::min(stripped.find_first_not_of(mark), stripped.size()));
  stripped.remove_prefix(std::min(stripped.find_first_not_of(" \t"), stripped.size()));
  const auto names = split_like(stripped, data->text);
  const bool header = names.size() == width && known_names_in(names) >= 2;
  const bool like_data = width > 1 && std::all_of(head.lines.begin(), data, [&](const HeadLine& line) {
                           return split_like(line.text, data->text).size() == width;
                         });
  // They may be records, or a header whose first name has the mark.
  if (like_data && (!header || data - head.lines.begin() == 1)) {
    if (mark == '#' || header) return;
  }
  head.comment = mark;
  const auto last = header ? data - 1 : data;
  if (header) (data - 1)->text = stripped;
  if (last > head.lines.begin()) {
    head.begin = (last - 1)->next;
    head.lines_before = (last - 1)->number;
    head.lines.erase(head.lines.begin(), last);
  }
}

}  // namespace

std::vector<std::string> split_spaces(std::string_view line) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(" \t", at), line.size());
    fields.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return fields;
}

namespace {

// "sep=;", by which spreadsheets tell each other what separates columns.
bool names_separator(std::string_view line) {
  return line.size() == 5 && in_small_letters(line).starts_with("sep=");
}

// Tables as psql, MySQL and Markdown print them: a rule stands below the header, perhaps one above it.
void take_rules(FileHead& head) {
  const auto& lines = head.lines;
  const std::size_t header = is_rule(lines[0].text) ? 1 : 0;
  const bool ruled = lines.size() > header + 2 && lines[header].text.find('|') != std::string_view::npos &&
                     is_rule(lines[header + 1].text);
  if (!ruled) return;
  head.ruled = true;
  if (header == 1) {
    head.begin = lines[0].next;
    head.lines_before = lines[0].number;
  }
  std::erase_if(head.lines, [](const HeadLine& line) { return is_rule(line.text); });
}

}  // namespace

bool is_rule(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return false;
  line = line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
  const bool count = line.front() == '(' ? line.ends_with(" rows)") || line == "(1 row)"
                                         : line.find(" in set (") != std::string_view::npos;
  if (count && line.find('|') == std::string_view::npos) return true;
  return line.find("--") != std::string_view::npos && line.find_first_of("+|") != std::string_view::npos &&
         line.find_first_not_of("-+|:= ") == std::string_view::npos;
}

namespace {

constexpr std::size_t most_titles = 10;
constexpr std::string_view title_separators = "\t,;|\x01";

// Fields up to the last one that is not empty.
std::size_t filled_fields(std::vector<std::string> fields) {
  while (!fields.empty() && trimmed(fields.back()).empty()) fields.pop_back();
  return fields.size();
}

// Lines above one that names known columns, all of them with fewer than it and the line below it have: what an export
// is called, and when it was made. Each is a single field, or there is one such line.
void take_titles(FileHead& head) {
  const auto top = head.lines[0].text;
  const bool open_quote = std::ranges::count(top, '"') % 2 == 1;
  if (top.starts_with('{') || open_quote) return;
  // It separates columns of the first line and of others.
  const auto fits_all = [&](char separator, std::size_t header) {
    const auto columns = [&](std::size_t line) { return split_csv(head.lines[line].text, separator); };
    const auto width = columns(0).size();
    return filled_fields(columns(0)) >= 2 && columns(header).size() == width && columns(header + 1).size() == width;
  };
  for (std::size_t i = 1; i <= most_titles && i + 1 < head.lines.size(); ++i) {
    for (const char separator : title_separators) {
      const auto columns = [&](std::size_t line) { return split_csv(head.lines[line].text, separator); };
      const auto names = columns(i);
      const auto wide = [&](std::size_t line) { return filled_fields(columns(line)) >= names.size(); };
      const bool header = known_names_in(names) >= 2 && std::ranges::none_of(names, is_number) && wide(i) &&
                          columns(i + 1).size() == names.size();
      bool narrower = header;
      for (std::size_t before = 0; before < i && narrower; ++before) {
        narrower = !wide(before) && (i == 1 || filled_fields(columns(before)) <= 1);
      }
      const auto fits_better = [&](char other) { return other != separator && fits_all(other, i); };
      if (!narrower || std::ranges::any_of(title_separators, fits_better)) continue;
      head.titles = head.lines[0].text;
      head.begin = head.lines[i - 1].next;
      head.lines_before = head.lines[i].number - 1;
      head.lines.erase(head.lines.begin(), head.lines.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
  }
}

}  // namespace

FileHead read_head_lines(std::string_view head, const std::string& name) {
  FileHead result;
  result.begin = head.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  result.lines = head_lines(head, result.begin);
  if (result.lines.empty()) throw InputError(name + ": the file is empty; leave it out or put data into it");
  if (result.lines[0].text.find('\0') != std::string_view::npos) {
    throw InputError(name + ":" + std::to_string(result.lines[0].number) +
                     ": the line holds a NUL byte; the file must be text in UTF-8");
  }
  if (result.lines.size() > 1 && names_separator(result.lines[0].text)) {
    result.begin = result.lines[0].next;
    result.lines_before = result.lines[0].number;
    result.lines.erase(result.lines.begin());
  }
  if (in_small_letters(result.lines[0].text).starts_with("%%matrixmarket")) {
    take_matrix(result, name);
  } else {
    take_comments(result);
    if (result.comment == '\0') take_rules(result);
    if (result.comment == '\0' && !result.ruled) take_titles(result);
  }
  return result;
}

std::vector<HeadLine> csv_records(std::string_view head, std::size_t begin, char separator, std::int64_t first_number) {
  auto text = std::string(head);
  if (!text.ends_with('\n')) text += '\n';
  std::vector<HeadLine> records;
  std::int64_t number = first_number;
  const auto* const end = text.data() + text.size();
  for (const auto* at = text.data() + begin; at < end && records.size() < lines_looked_at;) {
    const auto* const next = find_record_end(at, end, true, text.size(), ScanState::field_start, separator).next;
    const auto offset = static_cast<std::size_t>(at - text.data());
    const auto next_offset = std::min(static_cast<std::size_t>(next - text.data()), head.size());
    auto record = head.substr(offset, next_offset - offset);
    while (record.ends_with('\n') || record.ends_with('\r')) record.remove_suffix(1);
    const bool whole = next < end || head.ends_with('\n') || records.empty();
    if (whole && record.find_first_not_of(" \t") != std::string_view::npos) {
      records.push_back({record, next_offset, number});
    }
    number += std::count(at, next, '\n');
    at = next;
  }
  return records;
}

std::vector<std::string> split_line(std::string_view line, TextFormat format, char separator) {
  switch (format) {
    case TextFormat::csv:
      return split_csv(line, separator);
    case TextFormat::ml:
      return split_at(line, "::");
    case TextFormat::ssv:
    case TextFormat::lightgcn:
      return split_spaces(line);
    default:
      return split_at(line, "\t");
  }
}

std::string_view without_type(std::string_view field) {
  static constexpr std::array<std::string_view, 4> types{":token", ":float", ":token_seq", ":float_seq"};
  const auto colon = field.rfind(':');
  const bool typed = colon != std::string_view::npos && std::ranges::find(types, field.substr(colon)) != types.end();
  return typed ? field.substr(0, colon) : field;
}

bool is_typed_header(std::string_view line) {
  return std::ranges::all_of(split_at(line, "\t"),
                             [](const std::string& field) { return without_type(field).size() < field.size(); });
}

std::string shown(const HeadLine& line) {
  return "line " + std::to_string(line.number) + ": " + quoted(line.text, 80);
}

}  // namespace cohort
