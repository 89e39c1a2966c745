#include "ingest/records/number_text.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

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

}  // namespace cohort
