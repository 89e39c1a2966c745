#include "core/csv_field.hpp"

namespace cohort {

namespace {

bool needs_quotes(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  return text.find_first_of(",\"\r\n") != std::string_view::npos ||
         (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) || text.starts_with("\xEF\xBB\xBF");
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (!needs_quotes(text)) return std::string(text);
  std::string field(1, '"');
  for (const char c : text) field.append(c == '"' ? 2 : 1, c);
  return field + '"';
}

}  // namespace cohort
