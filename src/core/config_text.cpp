#include "core/config_text.hpp"

#include <charconv>
#include <variant>

#include "core/config.hpp"
#include "core/config_schema.hpp"

namespace cohort {

std::string shortest(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), number).ptr;
  std::string result(text, end);
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result;
}

// TOML's basic strings escape what JSON escapes, and DEL.
std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (code < 0x20 || code == 0x7F) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      result += "\\u00";
      result += {digits[code >> 4], digits[code & 15]};
    } else {
      result += c;
    }
  }
  return result + "\"";
}

namespace {

// The TOML of a value, by its kind.
struct Written {
  Config& config;

  std::string operator()(const IntegerKey& kind) const {
    const auto number = kind.of(config);
    return kind.automatic && number == kind.automatic_as ? "\"auto\"" : std::to_string(number);
  }
  std::string operator()(const RealKey& kind) const {
    return kind.automatic && kind.of(config) == kind.automatic_as ? "\"auto\"" : shortest(kind.of(config));
  }
  std::string operator()(const BooleanKey& kind) const { return kind.of(config) ? "true" : "false"; }
  std::string operator()(const TextKey& kind) const { return toml_string(kind.of(config)); }
  std::string operator()(const SwitchKey& kind) const {
    const auto& flag = kind.of(config);
    return !flag ? "\"auto\"" : *flag ? "true" : "false";
  }
  std::string operator()(const WordKey& kind) const { return toml_string(kind.words.at(kind.get(config))); }
  std::string operator()(const WordsKey& kind) const {
    std::string result;
    for (const auto place : kind.get(config)) {
      result += (result.empty() ? "" : ", ") + toml_string(kind.words.at(place));
    }
    return "[" + result + "]";
  }
  std::string operator()(const PathKey& kind) const { return toml_string(kind.of(config)); }
  std::string operator()(const PathsKey& kind) const {
    std::string result;
    for (const auto& path : kind.of(config)) result += (result.empty() ? "" : ", ") + toml_string(path);
    return "[" + result + "]";
  }
  std::string operator()(const IntegersKey& kind) const {
    if (kind.automatic && kind.of(config).empty()) return "\"auto\"";
    std::string result;
    for (const auto number : kind.of(config)) result += (result.empty() ? "" : ", ") + std::to_string(number);
    return "[" + result + "]";
  }
  std::string operator()(const ColumnsKey& kind) const {
    std::string result;
    for (const auto& [role, column] : kind.of(config)) {
      result += (result.empty() ? "" : ", ") + role + " = " + toml_string(column);
    }
    return "{" + result + "}";
  }
  std::string operator()(const FactorsKey& kind) const {
    std::string result;
    for (const auto& [name, factor] : kind.of(config)) {
      result += (result.empty() ? "" : ", ") + toml_string(name) + " = " + shortest(factor);
    }
    return "{" + result + "}";
  }
};

}  // namespace

std::string to_toml(const Config& config) {
  Config copy = config;
  std::string result;
  std::string_view section;
  for (const auto& key : config_schema()) {
    if (key.section != section) result += "\n[" + std::string(key.section) + "]\n";
    section = key.section;
    result += std::string(key.name) + " = " + std::visit(Written{copy}, key.kind) + "\n";
  }
  return result;
}

}  // namespace cohort
