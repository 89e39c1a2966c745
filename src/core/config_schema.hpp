// Every key of the configuration, once: what it is called, what it may be, and where it is kept. config.cpp reads,
// checks and writes by this list; nothing else names a key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/config.hpp"

namespace cohort {

struct IntegerKey {
  std::int64_t& (*of)(Config&);
  std::int64_t low;
  std::int64_t high;
  bool automatic = false;         ///< "auto" may stand for it
  std::int64_t automatic_as = 0;  ///< what "auto" is kept as, which is itself no value then
};

struct RealKey {
  double& (*of)(Config&);
  double low;
  double high;
  bool automatic = false;   ///< "auto" is a value too
  double automatic_as = 0;  ///< what it is kept as, which is below `low`
};

struct BooleanKey {
  bool& (*of)(Config&);
};

struct TextKey {
  std::string& (*of)(Config&);
};

/// true, false, or "auto", which is kept as none.
struct SwitchKey {
  std::optional<bool>& (*of)(Config&);
};

/// One of several words, kept as the value of an enumeration whose values are 0, 1, ... in the order of the words.
struct WordKey {
  std::size_t (*get)(Config&);
  void (*set)(Config&, std::size_t place);
  std::vector<std::string_view> words;
};

/// One such word or an array of them, kept as the values of the enumeration.
struct WordsKey {
  std::vector<std::size_t> (*get)(Config&);
  void (*set)(Config&, const std::vector<std::size_t>& places);
  std::vector<std::string_view> words;
};

/// A path; a relative one in a file is taken from the file's directory.
struct PathKey {
  std::string& (*of)(Config&);
};

/// One path or an array of them.
struct PathsKey {
  std::vector<std::string>& (*of)(Config&);
};

struct IntegersKey {
  std::vector<std::int64_t>& (*of)(Config&);
  std::int64_t low;
  std::int64_t high;
  bool automatic = false;     ///< "auto" may stand for them, which is kept as none
  bool may_be_empty = false;  ///< an array of none is a value
};

/// A table of column names or indices by role.
struct ColumnsKey {
  std::vector<std::pair<std::string, std::string>>& (*of)(Config&);
  std::vector<std::string_view> roles;
};

/// A table of factors, 0 or above, by any name.
struct FactorsKey {
  std::vector<std::pair<std::string, double>>& (*of)(Config&);
};

struct ConfigKey {
  std::string_view section;  ///< empty: before the first section
  std::string_view name;
  std::string_view meaning;  ///< a few words, for messages
  std::variant<IntegerKey, RealKey, BooleanKey, TextKey, SwitchKey, WordKey, WordsKey, PathKey, PathsKey, IntegersKey,
               ColumnsKey, FactorsKey>
      kind;

  /// "section.name", as --set and messages have it.
  std::string path() const {
    return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
  }
};

/// In the order in which a configuration is written: keys without a section first.
std::span<const ConfigKey> config_schema();

/// The words that a key of words may be, in the order of its enumeration. Local.
const std::vector<std::string_view>& words_of(std::string_view path);

/// The word for a value of an enumeration that a key, "section.name", holds. Local.
template <class Enumeration>
std::string_view word_of(std::string_view path, Enumeration value) {
  return words_of(path).at(static_cast<std::size_t>(value));
}

}  // namespace cohort
