#include "ingest/records/number_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "ingest/records/field_shape.hpp"

namespace cohort {

NumberText read_number(std::string_view text) {
  const auto digits = text.starts_with('+') && text.size() > 1 && text[1] != '-' ? text.substr(1) : text;
  const auto* const end = digits.data() + digits.size();
  double value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || stop != end || error == std::errc::invalid_argument) {
    const bool comma = text.find(',') != std::string_view::npos;
    return {0, comma ? "is no number: decimals have a point, thousands no comma" : "is no number"};
  }
  // Too large or too small; from_chars does not say which.
  if (error == std::errc::result_out_of_range) value = std::strtod(std::string(digits).c_str(), nullptr);
  return {value, std::isfinite(value) ? nullptr : "is not finite"};
}

std::string without_thousands(std::string_view text, char group, char decimal) {
  const auto sign = text.starts_with('-') || text.starts_with('+') ? std::size_t{1} : std::size_t{0};
  const auto decimals = std::min(text.find(decimal), text.size());
  std::string digits(text.substr(0, sign));
  std::size_t groups = 0;
  for (auto at = sign;;) {
    const auto end = std::min({text.find(group, at), decimals});
    const auto part = text.substr(at, end - at);
    if (!is_whole_number(part) || (groups == 0 ? part.size() > 3 || part[0] == '0' : part.size() != 3)) {
      return std::string(text);
    }
    digits += part;
    if (end == decimals) break;
    ++groups;
    at = end + 1;
  }
  if (groups == 0) return std::string(text);
  if (decimals < text.size()) digits.append(".").append(text.substr(decimals + 1));
  return digits;
}

bool may_be_thousands(std::string_view text, char point) {
  const auto at = text.find(point);
  return at != std::string_view::npos && at >= 1 && at <= 3 && text[0] != '0' && text.size() == at + 4 &&
         is_whole_number(text.substr(0, at)) && is_whole_number(text.substr(at + 1));
}

}  // namespace cohort
