#include "ingest/records/field_shape.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include "ingest/records/number_text.hpp"

namespace cohort {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Whether a date's day and month, in either order, can be.
bool is_day_and_month(std::string_view a, std::string_view b) {
  const auto value = [](std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  };
  const int low = std::min(value(a), value(b));
  const int high = std::max(value(a), value(b));
  return low >= 1 && low <= 12 && high >= 1 && high <= 31;
}

bool is_year(std::string_view text) {
  return text.size() == 4 && (text.starts_with("19") || text.starts_with("20"));
}

bool is_time_of_day(std::string_view text) {
  return text.size() >= 4 && is_digit(text[0]) && text.find(':') <= 2 && text.find(':') > 0 &&
         std::ranges::all_of(text, [](char c) {
           return is_digit(c) || std::string_view(":.,+-ZzAaPpMm ").find(c) != std::string_view::npos;
         });
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool is_number(std::string_view text) {
  text = trimmed(text);
  // "inf" and "nan" are words where they are not asked to be numbers.
  return text.find_first_of("0123456789") != std::string_view::npos && !read_number(text).fault;
}

std::string with_decimal_point(std::string_view text) {
  text = trimmed(text);
  if (text.find(',') == std::string_view::npos) return {};
  auto number = without_thousands(text, '.', ',');
  if (number == text) {
    if (number.find('.') != std::string::npos) return {};
    number[number.find(',')] = '.';
  }
  return is_number(number) ? number : std::string();
}

bool is_whole_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_fraction(std::string_view text) {
  return text.find('.') != std::string_view::npos && is_number(text);
}

bool is_missing(std::string_view text) {
  static constexpr std::array<std::string_view, 11> missing{"",     "NA",   "N/A",  "NaN", "nan", "null",
                                                            "NULL", "None", "none", "\\N", "-"};
  return std::ranges::find(missing, trimmed(text)) != missing.end();
}

bool is_date(std::string_view text) {
  text = trimmed(text);
  if (text.size() == 8 && is_whole_number(text) && is_year(text.substr(0, 4))) {
    return text[4] <= '1' && is_day_and_month(text.substr(4, 2), text.substr(6, 2)) && text.substr(4, 2) <= "12";
  }
  const auto date_end = text.find_first_of("T ");
  const auto date = text.substr(0, date_end);
  if (is_time_of_day(text)) return true;
  const auto separator = date.find_first_of("-/.");
  if (separator == std::string_view::npos || separator == 0) return false;
  const auto second = date.find(date[separator], separator + 1);
  if (second == std::string_view::npos) return false;
  const auto a = date.substr(0, separator);
  const auto b = date.substr(separator + 1, second - separator - 1);
  const auto c = date.substr(second + 1);
  if (!is_whole_number(a) || !is_whole_number(b) || !is_whole_number(c) || b.size() > 2) return false;
  if (is_year(a)) return c.size() <= 2 && is_day_and_month(b, c);
  return a.size() <= 2 && (is_year(c) || c.size() == 2) && is_day_and_month(a, b);
}

bool is_unix_time(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with(".0")) text.remove_suffix(2);
  if (!is_whole_number(text) || text.size() > 13) return false;
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::int64_t year_1995 = 788'918'400;
  constexpr std::int64_t year_2040 = 2'208'988'800;
  return (value >= year_1995 && value < year_2040) || (value >= 1000 * year_1995 && value < 1000 * year_2040);
}

bool is_words(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  };
  return std::ranges::any_of(text, is_letter) && std::ranges::all_of(text, [&](char c) {
           return is_letter(c) || std::string_view(" -_.#%").find(c) != std::string_view::npos;
         });
}

std::string shape_of(std::string_view text) {
  std::string shape;
  for (const char c : trimmed(text)) {
    const char kind = is_digit(c) ? '9' : c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : c;
    if (shape.empty() || shape.back() != kind) shape += kind;
  }
  return shape;
}

std::string other_padding(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto are_numbers = [](const auto& fields) {
    return std::ranges::all_of(fields, [](const std::string& field) { return is_whole_number(field); });
  };
  const auto is_padded = [](const std::string& field) { return field.size() > 1 && field[0] == '0'; };
  const auto a_padded = std::ranges::find_if(a, is_padded);
  const auto b_padded = std::ranges::find_if(b, is_padded);
  if (!are_numbers(a) || !are_numbers(b) || (a_padded == a.end()) == (b_padded == b.end())) return "";
  const auto& padded = a_padded != a.end() ? a : b;
  const auto& other = a_padded != a.end() ? b : a;
  const auto width = padded[0].size();
  const bool one_width = std::ranges::all_of(padded, [&](const auto& field) { return field.size() == width; });
  const auto bare = std::ranges::find_if(other, [&](const auto& field) { return field.size() < width; });
  if (!one_width || bare == other.end()) return "";
  return "ids such as " + (a_padded != a.end() ? *a_padded + ", not " + *bare : *bare + ", not " + *b_padded);
}

}  // namespace cohort
