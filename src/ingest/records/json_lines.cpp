#include "ingest/records/json_lines.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace cohort {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The value of a key, as other readers have it: of one that stands twice in an object, the last.
simdjson::simdjson_result<element> last_of_key(const object& in, std::string_view key) {
  std::optional<element> found;
  for (const auto& field : in) {
    if (field.key == key) found = field.value;
  }
  if (!found) return simdjson::NO_SUCH_FIELD;
  return element(*found);
}

// The value of a dotted key; an error where there is none.
simdjson::simdjson_result<element> find_key(const object& in, std::string_view key) {
  if (auto found = last_of_key(in, key); !found.error()) return found;
  for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.', dot + 1)) {
    object inner;
    if (last_of_key(in, key.substr(0, dot)).get_object().get(inner) == simdjson::SUCCESS) {
      if (auto found = find_key(inner, key.substr(dot + 1)); !found.error()) return found;
    }
  }
  return simdjson::NO_SUCH_FIELD;
}

// As text that reads back to the same number, and to a number with a point where it was one.
std::string number_text(double value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

void append_text(std::string& text, const element& value) {
  switch (value.type()) {
    case element_type::STRING:
      text += value.get_string().value();
      break;
    case element_type::INT64:
      text += std::to_string(value.get_int64().value());
      break;
    case element_type::UINT64:
      text += std::to_string(value.get_uint64().value());
      break;
    case element_type::DOUBLE:
      text += number_text(value.get_double().value());
      break;
    case element_type::BOOL:
      text += value.get_bool().value() ? "true" : "false";
      break;
    case element_type::ARRAY: {
      bool first = true;
      for (const auto& entry : value.get_array()) {
        if (!std::exchange(first, false)) text += '|';
        append_text(text, entry);
      }
      break;
    }
    case element_type::OBJECT:
    case element_type::NULL_VALUE:
      break;
  }
}

void collect_keys(const object& in, const std::string& prefix, std::vector<std::string>& keys) {
  for (const auto& field : in) {
    const auto key = prefix + std::string(field.key);
    object inner;
    if (field.value.get_object().get(inner) == simdjson::SUCCESS) {
      collect_keys(inner, key + ".", keys);
    } else if (std::ranges::find(keys, key) == keys.end()) {
      keys.push_back(key);
    }
  }
}

bool is_python(std::string_view line) {
  const auto at = line.find_first_not_of(" \t", 1);
  return at != std::string_view::npos &&
         (line[at] == '\'' || line.substr(at, 2) == "u'" || line.substr(at, 2) == "u\"");
}

// A string literal of Python's that opens at `at`, as JSON; returns what is behind it. What JSON does not know (\x41,
// \') is written out.
std::size_t take_python_string(std::string_view line, std::size_t at, std::string& json) {
  const char quote = line[at];
  json += '"';
  for (++at; at < line.size() && line[at] != quote; ++at) {
    if (line[at] == '"') {
      json += "\\\"";
    } else if (line[at] != '\\' || at + 1 == line.size()) {
      json += line[at];
    } else if (const char escaped = line[++at]; escaped == 'x' && at + 2 < line.size()) {
      json.append("\\u00").append(line.substr(at + 1, 2));
      at += 2;
    } else if (escaped == '\'') {
      json += '\'';
    } else {
      json += '\\';
      json += escaped;
    }
  }
  json += '"';
  return at + 1;
}

// An object as Python prints it, as JSON.
void python_to_json(std::string_view line, std::string& json) {
  json.clear();
  for (std::size_t at = 0; at < line.size();) {
    const auto rest = line.substr(at);
    if (rest[0] == '\'' || rest[0] == '"') {
      at = take_python_string(line, at, json);
    } else if ((rest[0] == 'u' || rest[0] == 'b') && rest.size() > 1 && (rest[1] == '\'' || rest[1] == '"')) {
      ++at;
    } else if (is_name(rest[0])) {
      const auto word =
          rest.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(rest, is_name) - rest.begin()));
      json += word == "None" || word == "nan" || word == "NaN" ? "null"
              : word == "True"                                 ? "true"
              : word == "False"                                ? "false"
                                                               : word;
      at += word.size();
    } else {
      json += rest[0] == '(' ? '[' : rest[0] == ')' ? ']' : rest[0];
      ++at;
    }
  }
}

}  // namespace

struct JsonLines::Parser {
  simdjson::dom::parser parser;
};

JsonLines::JsonLines(std::vector<std::string> keys)
    : parser_(std::make_unique<Parser>()), keys_(std::move(keys)), records_(kept), record_(records_.data()) {}

JsonLines::~JsonLines() = default;

std::string JsonLines::read(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (is_python(line)) {
    python_to_json(line, json_);
    line = json_;
  }
  element whole;
  auto error = parser_->parser.parse(line.data(), line.size()).get(whole);
  // Python writes it for a number that is missing.
  if (error != simdjson::SUCCESS && line.find("NaN") != std::string_view::npos) {
    python_to_json(line, json_);
    error = parser_->parser.parse(json_).get(whole);
  }
  if (error != simdjson::SUCCESS) {
    return std::string("the line is no JSON (") + simdjson::error_message(error) + ")";
  }
  object fields;
  if (whole.get_object().get(fields) != simdjson::SUCCESS) return "the line is no JSON object, { ... }";
  record_ = &records_[next_++ % kept];
  record_->clear();
  std::string text;
  for (const auto& key : keys_) {
    if (&key != keys_.data()) *record_ += ',';
    element value;
    if (key.empty() || find_key(fields, key).get(value) != simdjson::SUCCESS) continue;
    text.clear();
    append_text(text, value);
    append_csv_field(*record_, text);
  }
  return "";
}

bool is_json_lines(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  auto line = head.substr(0, head.find_first_of("\r\n"));
  while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  if (!line.starts_with('{') || line.size() < 2) return false;
  const auto inside = line.find_first_not_of(" \t", 1);
  const bool keyed = inside != std::string_view::npos && (line[inside] == '"' || is_python(line));
  return line.size() < head.size() || line.ends_with('}') ? line.ends_with('}') && keyed
                                                          : line.find_first_of("\"'") != std::string_view::npos;
}

std::vector<std::string> json_keys(const std::vector<std::string_view>& lines) {
  simdjson::dom::parser parser;
  std::vector<std::string> keys;
  std::string json;
  for (auto line : lines) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (is_python(line) || line.find("NaN") != std::string_view::npos) {
      python_to_json(line, json);
      line = json;
    }
    object fields;
    if (parser.parse(line.data(), line.size()).get_object().get(fields) == simdjson::SUCCESS) {
      collect_keys(fields, "", keys);
    }
  }
  return keys;
}

void append_csv_field(std::string& record, std::string_view text) {
  if (text.empty()) return;
  record += '"';
  for (const char c : text) {
    if (c == '"') record += '"';
    record += c == '\0' ? ' ' : c;
  }
  record += '"';
}

}  // namespace cohort
