#include "core/config.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "core/config_schema.hpp"
#include "core/config_settle.hpp"
#include "core/config_text.hpp"
#include "core/error.hpp"
#include "core/nearest_name.hpp"
#include "core/presets.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

std::string with_thousands(std::int64_t number) {
  const auto digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') result += ',';
    result += digits[i];
  }
  return result;
}

std::string list_of(const std::vector<std::string_view>& choices) {
  std::string result;
  for (const auto choice : choices) result += (result.empty() ? "" : ", ") + std::string(choice);
  return result;
}

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

// Puts the value of one node into the configuration, or says what is wrong with it.
class ValueSetter {
 public:
  /// `place`: where the value was given, for messages; `directory`: where relative paths start.
  ValueSetter(Config& config, const ConfigKey& key, const toml::node& node, std::string place, std::string directory)
      : config_(config), key_(key), node_(node), place_(std::move(place)), directory_(std::move(directory)) {}

  void operator()(const IntegerKey& kind) const {
    const bool is_auto = kind.automatic && node_.value_exact<std::string>() == "auto";
    const std::string expected = "an integer from " + with_thousands(kind.low) +
                                 (kind.high == INT64_MAX ? " up" : " to " + with_thousands(kind.high)) +
                                 (kind.automatic ? R"( or "auto")" : "");
    kind.of(config_) = is_auto ? kind.automatic_as : integer(node_, kind.low, kind.high, expected);
  }
  void operator()(const RealKey& kind) const {
    if (kind.automatic && node_.value_exact<std::string>() == "auto") {
      kind.of(config_) = kind.automatic_as;
      return;
    }
    const std::string or_auto = kind.automatic ? R"( or "auto")" : "";
    const auto number = node_.is_number() ? node_.value<double>() : std::nullopt;
    if (!number) fail("a number" + or_auto);
    if (!(*number >= kind.low && *number <= kind.high)) {
      fail((kind.low > 0 && kind.low < 1e-300 ? "a number above 0"
            : kind.high > 1e300               ? "a number from " + shortest(kind.low) + " up"
                                              : "a number from " + shortest(kind.low) + " to " + shortest(kind.high)) +
           or_auto);
    }
    kind.of(config_) = *number;
  }
  void operator()(const BooleanKey& kind) const {
    const auto value = node_.value_exact<bool>();
    if (!value) fail("true or false");
    kind.of(config_) = *value;
  }
  void operator()(const TextKey& kind) const { kind.of(config_) = string(node_, "a string"); }
  void operator()(const SwitchKey& kind) const {
    const auto flag = node_.value_exact<bool>();
    if (!flag && node_.value_exact<std::string>() != "auto") fail(R"(true, false or "auto")");
    kind.of(config_) = flag;
  }
  void operator()(const WordKey& kind) const { kind.set(config_, place_of(string(node_, "a string"), kind.words)); }
  void operator()(const WordsKey& kind) const {
    std::vector<std::size_t> places;
    const std::string expected = "one of " + list_of(kind.words) + ", or an array of them";
    const auto add = [&](const toml::node& node) {
      const auto text = string(node, expected);
      const auto found = std::find(kind.words.begin(), kind.words.end(), text);
      if (found == kind.words.end()) fail(expected, node);
      places.push_back(static_cast<std::size_t>(found - kind.words.begin()));
    };
    if (const auto* array = node_.as_array()) {
      for (const auto& entry : *array) add(entry);
    } else {
      add(node_);
    }
    if (places.empty()) fail(expected);
    kind.set(config_, places);
  }
  void operator()(const PathKey& kind) const { kind.of(config_) = path(node_, "a path"); }
  void operator()(const PathsKey& kind) const {
    constexpr auto expected = "a path or an array of paths";
    std::vector<std::string> paths;
    if (const auto* array = node_.as_array()) {
      for (const auto& entry : *array) paths.push_back(path(entry, expected));
    } else {
      paths.push_back(path(node_, expected));
    }
    std::erase(paths, "");
    kind.of(config_) = std::move(paths);
  }
  void operator()(const IntegersKey& kind) const {
    if (kind.automatic && node_.value_exact<std::string>() == "auto") {
      kind.of(config_).clear();
      return;
    }
    const std::string expected = "an integer or an array of integers from " + with_thousands(kind.low) + " to " +
                                 with_thousands(kind.high) + (kind.automatic ? R"( or "auto")" : "");
    std::vector<std::int64_t> numbers;
    if (const auto* array = node_.as_array()) {
      for (const auto& entry : *array) numbers.push_back(integer(entry, kind.low, kind.high, expected));
    } else {
      numbers.push_back(integer(node_, kind.low, kind.high, expected));
    }
    if (numbers.empty() && !kind.may_be_empty) fail(expected);
    kind.of(config_) = std::move(numbers);
  }
  void operator()(const ColumnsKey& kind) const {
    const auto* table = node_.as_table();
    if (!table) fail("a table such as {user = 0, item = \"movie\"}");
    std::vector<std::pair<std::string, std::string>> columns;
    for (const auto& [role, entry] : *table) {
      if (std::find(kind.roles.begin(), kind.roles.end(), role.str()) == kind.roles.end()) {
        fail("a table with the keys " + list_of(kind.roles) + ", not " + toml_string(role.str()));
      }
      if (const auto index = entry.value_exact<std::int64_t>(); index && *index >= 0) {
        columns.emplace_back(role.str(), std::to_string(*index));
      } else {
        columns.emplace_back(role.str(), string(entry, "a table of column names or indices from 0"));
      }
    }
    kind.of(config_) = std::move(columns);
  }
  void operator()(const FactorsKey& kind) const {
    constexpr auto expected = "a table of numbers from 0 up such as {view = 1, \"add to cart\" = 2}";
    const auto* table = node_.as_table();
    if (!table) fail(expected);
    std::vector<std::pair<std::string, double>> factors;
    for (const auto& [name, entry] : *table) {
      const auto factor = entry.is_number() ? entry.value<double>() : std::nullopt;
      if (!factor || !std::isfinite(*factor) || *factor < 0) fail(expected, entry);
      factors.emplace_back(name.str(), *factor);
    }
    kind.of(config_) = std::move(factors);
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const { fail(expected, node_); }
  // at: the value, or the entry of it that is wrong.
  [[noreturn]] void fail(const std::string& expected, const toml::node& at) const {
    std::ostringstream value;
    if (at.is_string()) {
      value << toml_string(*at.value<std::string>());
    } else if (at.is_table() || at.is_array()) {
      value << kind_of(at);
    } else {
      at.visit([&](const auto& typed) { value << typed; });
    }
    throw InputError(place_ + ": " + key_.path() + " (" + std::string(key_.meaning) + ") must be " + expected +
                     (&at == &node_ ? ", but is " : ", but has ") + value.str());
  }
  std::size_t place_of(const std::string& text, const std::vector<std::string_view>& choices) const {
    const auto found = std::find(choices.begin(), choices.end(), text);
    if (found == choices.end()) {
      fail(choices.size() == 1 ? "\"" + std::string(choices[0]) + "\"" : "one of " + list_of(choices));
    }
    return static_cast<std::size_t>(found - choices.begin());
  }
  std::int64_t integer(const toml::node& node, std::int64_t low, std::int64_t high, const std::string& expected) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < low || *number > high) fail(expected, node);
    return *number;
  }
  std::string string(const toml::node& node, const std::string& expected) const {
    auto text = node.value_exact<std::string>();
    if (!text) fail(expected, node);
    return *std::move(text);
  }
  std::string path(const toml::node& node, const std::string& expected) const {
    auto text = string(node, expected);
    if (text.empty()) return text;
    // Paths from the home directory; of a list, @FILE, the file's path counts.
    if (const char* const home = std::getenv("HOME"); home && (text == "~" || text.starts_with("~/"))) {
      return (std::filesystem::path(home) / text.substr(std::min<std::size_t>(2, text.size())))
          .lexically_normal()
          .string();
    }
    const auto list = text.starts_with('@') ? std::filesystem::path(text.substr(1)) : std::filesystem::path();
    const auto in_place =
        list.has_parent_path() ? list.parent_path() / ("@" + list.filename().string()) : std::filesystem::path(text);
    return (std::filesystem::path(directory_) / in_place).lexically_normal().string();
  }

  Config& config_;
  const ConfigKey& key_;
  const toml::node& node_;
  std::string place_;
  std::string directory_;
};

const ConfigKey& find_key(std::string_view section, std::string_view name, const std::string& place) {
  for (const auto& key : config_schema()) {
    if (key.section == section && key.name == name) return key;
  }
  // The name may be right and the section wrong; otherwise the nearest name of the section, if there is the section.
  std::vector<std::string> names;
  bool known_section = false;
  for (const auto& key : config_schema()) {
    if (key.section == section) names.emplace_back(key.name);
    known_section = known_section || (key.section == section && !section.empty());
    if (key.name == name) {
      throw InputError(place + ": there is no key " + std::string(name) +
                       (section.empty() ? " outside the sections" : " in [" + std::string(section) + "]") +
                       "; did you mean the one " +
                       (key.section.empty() ? "before the first section?" : "in [" + std::string(key.section) + "]?"));
    }
  }
  if (known_section || section.empty()) {
    const auto path = (section.empty() ? "" : std::string(section) + ".") + std::string(name);
    if (section.empty()) {
      for (const auto& key : config_schema()) names.emplace_back(key.section.empty() ? key.name : key.section);
    }
    throw InputError(place + ": there is no key " + path + "; the nearest is \"" + nearest_name(name, names) + "\"");
  }
  names.clear();
  for (const auto& key : config_schema()) names.emplace_back(key.section);
  throw InputError(place + ": there is no section [" + std::string(section) + "]; the nearest is [" +
                   nearest_name(section, names) + "]");
}

bool is_section(std::string_view name) {
  const auto schema = config_schema();
  return std::any_of(schema.begin(), schema.end(),
                     [&](const ConfigKey& key) { return !name.empty() && key.section == name; });
}

void apply_text(Config& config, std::string_view text, const std::string& name, const std::string& directory) {
  require_utf8_file(text, name);
  const toml::table table = [&] {
    try {
      return toml::parse(text, name);
    } catch (const toml::parse_error& error) {
      throw InputError(name + ":" + std::to_string(error.source().begin.line) + ": " +
                       std::string(error.description()));
    }
  }();
  const auto place = [&](const toml::node& node) { return name + ":" + std::to_string(node.source().begin.line); };
  for (const auto& [first, node] : table) {
    if (const auto* section = node.as_table(); section && (is_section(first.str()) || !section->empty())) {
      for (const auto& [second, value] : *section) {
        const auto& key = find_key(first.str(), second.str(), place(value));
        std::visit(ValueSetter(config, key, value, place(value), directory), key.kind);
      }
    } else if (is_section(first.str())) {
      throw InputError(place(node) + ": " + std::string(first.str()) + " is a section: write [" +
                       std::string(first.str()) + "]");
    } else {
      const auto& key = find_key("", first.str(), place(node));
      std::visit(ValueSetter(config, key, node, place(node), directory), key.kind);
    }
  }
}

// A value on the command line is TOML where it reads as TOML, else a string without quotes.
toml::table value_of(const ConfigKey& key, const std::string& text, const std::string& place) {
  const bool is_text = std::holds_alternative<TextKey>(key.kind) || std::holds_alternative<WordKey>(key.kind) ||
                       std::holds_alternative<WordsKey>(key.kind) || std::holds_alternative<PathKey>(key.kind) ||
                       std::holds_alternative<PathsKey>(key.kind);
  const bool has_syntax = !text.empty() && (text[0] == '"' || text[0] == '\'' || text[0] == '[');
  if (!is_text || has_syntax) {
    try {
      return toml::parse("value = " + text + "\n");
    } catch (const toml::parse_error& error) {
      if (has_syntax) throw InputError(place + ": " + std::string(error.description()));
    }
  }
  return toml::table{{"value", text}};
}

void apply_override(Config& config, const std::string& text) {
  require_utf8_argument(text, "--set");
  const auto place = "--set " + text.substr(0, text.find('='));
  const auto equals = text.find('=');
  if (equals == std::string::npos) throw InputError("--set " + text + ": write --set section.key=value");
  const auto path = text.substr(0, equals);
  const auto dot = path.find('.');
  const auto& key = dot == std::string::npos ? find_key("", path, "--set")
                                             : find_key(path.substr(0, dot), path.substr(dot + 1), "--set");
  const auto table = value_of(key, text.substr(equals + 1), place);
  std::visit(ValueSetter(config, key, *table.get("value"), "--set", std::filesystem::current_path().string()),
             key.kind);
}

void check_together(const Config& config, const std::string& name) {
  if (config.input.interactions.empty() && config.input.social.empty()) {
    throw InputError(name + ": no input; set input.interactions, input.social or both");
  }
  if (config.input.interactions.empty() && (!config.input.test.empty() || config.input.holdout > 0)) {
    throw InputError(name + ": input.test and input.holdout need input.interactions");
  }
  if (!config.input.test.empty() && config.input.holdout > 0) {
    throw InputError(name + ": input.test and input.holdout exclude each other; evaluate has one set of pairs");
  }
  const auto& graph = config.graph;
  if (config.input.interactions.empty() && (!graph.event_weights.empty() || graph.half_life > 0)) {
    throw InputError(name + ": graph.event_weights and graph.half_life need input.interactions");
  }
  if (graph.weight == EdgeWeighting::binary) {
    // All that a weight can do there is to drop a record.
    const bool graded = std::any_of(graph.event_weights.begin(), graph.event_weights.end(),
                                    [](const auto& event) { return event.second != 0 && event.second != 1; });
    if (graded || graph.half_life > 0) {
      throw InputError(name + ": graph.weight = \"binary\" counts every interaction as 1, so " +
                       (graded ? "weights of graph.event_weights other than 0 and 1" : "graph.half_life") +
                       " would have no effect; set graph.weight to raw or log");
    }
  }
  if ((config.partition.tool == PartitionTool::file) != !config.partition.file.empty()) {
    throw InputError(name + R"(: partition.tool = "file" and partition.file = "..." go together)");
  }
  if (config.output.directory.empty()) throw InputError(name + ": output.directory is empty");
}

}  // namespace

Config parse_config(std::string_view text, const std::string& name, const std::string& directory,
                    const std::vector<std::string>& overrides, const std::string& preset) {
  Config config;
  if (!preset.empty()) apply_text(config, preset_text(preset), "preset " + preset, directory);
  apply_text(config, text, name, directory);
  for (const auto& override_text : overrides) apply_override(config, override_text);
  check_together(config, name);
  check_features(config, name);
  settle_config(config, name);
  return config;
}

}  // namespace cohort
