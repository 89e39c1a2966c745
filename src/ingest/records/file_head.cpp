#include "ingest/records/file_head.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/utf8.hpp"
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

std::vector<std::string> split_spaces(std::string_view line) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(" \t", at), line.size());
    fields.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return fields;
}

// What opens with a quote that is not closed is cut at its commas: the line is malformed, but shows what it is like.
std::vector<std::string> split_csv(std::string_view line) {
  auto text = std::string(line) + "\n";
  if (find_record_end(text.data(), text.data() + text.size(), true, text.size()).unclosed) return split_at(line, ",");
  std::vector<std::string> fields;
  auto* p = text.data();
  auto* const end = p + line.size();
  for (;;) {
    const auto field = take_quoted_field(p, end);
    fields.emplace_back(field.begin, field.end);
    if (p == end) return fields;
    ++p;
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
  return result;
}

std::vector<HeadLine> csv_records(std::string_view head, std::size_t begin) {
  auto text = std::string(head);
  if (!text.ends_with('\n')) text += '\n';
  std::vector<HeadLine> records;
  std::int64_t number = 1;
  const auto* const end = text.data() + text.size();
  for (const auto* at = text.data() + begin; at < end && records.size() < lines_looked_at;) {
    const auto* const next = find_record_end(at, end, true, text.size()).next;
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

std::vector<std::string> split_line(std::string_view line, TextFormat format) {
  switch (format) {
    case TextFormat::csv:
      return split_csv(line);
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
