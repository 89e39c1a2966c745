#include "core/words.hpp"

namespace cohort {

std::string with_commas(std::int64_t number) {
  const auto digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') result += ',';
    result += digits[i];
  }
  return result;
}

std::string noun(std::int64_t number, std::string_view one, std::string_view many) {
  if (number == 1) return std::string(one);
  return many.empty() ? std::string(one) + "s" : std::string(many);
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return with_commas(number) + " " + noun(number, one, many);
}

}  // namespace cohort
