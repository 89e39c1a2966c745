#include "ingest/file_head.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/utf8.hpp"

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
  return result;
}

std::vector<std::string> split_line(std::string_view line, TextFormat format) {
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
