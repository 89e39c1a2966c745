#include "cli/network_option.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace cohort {

namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw InputError("--network is \"" + text + R"(", which is not what it must be: bits a second and the time of a )" +
                   R"(message, as in "100Gb,2us"; units are Kb, Mb, Gb, Tb and ns, us, ms, s)");
}

// A positive number and its unit.
template <std::size_t Units>
double value_of(std::string_view word, const std::array<std::pair<const char*, double>, Units>& units,
                const std::string& text) {
  double number = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(word.data() + word.size() - rest));
  if (error == std::errc() && number > 0 && number < 1e12) {
    for (const auto& [name, factor] : units) {
      if (unit == name) return number * factor;
    }
  }
  refuse(text);
}

std::string_view without_blanks(std::string_view word) {
  while (word.starts_with(' ')) word.remove_prefix(1);
  while (word.ends_with(' ')) word.remove_suffix(1);
  return word;
}

}  // namespace

Interconnect parse_network(const std::string& text) {
  constexpr std::array<std::pair<const char*, double>, 4> bits{{{"Kb", 1e3}, {"Mb", 1e6}, {"Gb", 1e9}, {"Tb", 1e12}}};
  constexpr std::array<std::pair<const char*, double>, 4> seconds{{{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}}};
  const std::string_view all(text);
  const auto comma = all.find(',');
  if (comma == std::string_view::npos) refuse(text);
  auto rate = without_blanks(all.substr(0, comma));
  for (const std::string_view each : {"/s", "ps", "it/s"}) {
    if (rate.ends_with(each)) rate.remove_suffix(each.size());
  }
  return {value_of(rate, bits, text) / 8, value_of(without_blanks(all.substr(comma + 1)), seconds, text)};
}

}  // namespace cohort
