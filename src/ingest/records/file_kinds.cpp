#include "ingest/records/file_kinds.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "ingest/files/packed_file.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"

namespace cohort {

namespace {

constexpr std::array friends_words =
    std::to_array<std::string_view>({"friend", "social", "trust", "follow", "contact", "network", "acquaintance"});

// The file's own name in small letters, without folders and endings.
std::string stem_of(const std::string& name) {
  const std::filesystem::path path{std::string(without_packing(name))};
  auto stem = path.stem().string();
  std::ranges::transform(stem, stem.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return stem;
}

std::string ending_of(const std::string& name) {
  return std::filesystem::path(std::string(without_packing(name))).extension().string();
}

// "movies" is a name of what items are, and so is "movie".
bool names(std::string_view stem, Meaning meaning) {
  if (means(stem, meaning)) return true;
  return stem.ends_with('s') && means(stem.substr(0, stem.size() - 1), meaning);
}

FileGuess guessed(FileKind kind, std::string why, bool doubtful = false) {
  FileGuess guess;
  guess.kind = kind;
  guess.why = std::move(why);
  guess.doubtful = doubtful;
  return guess;
}

class Guesser {
 public:
  Guesser(std::string_view head, const std::string& name, const LayoutRequest& request)
      : head_(head), name_(name), request_(request), table_(head_table(head, name, request)) {}

  FileGuess guess() const {
    auto result = by_everything();
    result.names = table_.names;
    result.columns = static_cast<std::int32_t>(named_or_first().size());
    return result;
  }

 private:
  FileGuess by_everything() const {
    if (table_.format == TextFormat::lightgcn) return guessed(FileKind::interactions, "lists of items");
    const auto ending = ending_of(name_);
    if (ending == ".inter") return guessed(FileKind::interactions, "its name ends in .inter");
    if (ending == ".net") return guessed(FileKind::social, "its name ends in .net");
    if (ending == ".user") return guessed(FileKind::user_attributes, "its name ends in .user");
    if (ending == ".item") return guessed(FileKind::item_attributes, "its name ends in .item");
    return table_.names.empty() ? by_contents() : by_names();
  }

  const std::vector<std::string>& named_or_first() const {
    static const std::vector<std::string> none;
    return !table_.names.empty() ? table_.names : table_.data.empty() ? none : table_.data[0];
  }
  bool any(Meaning meaning) const {
    return std::ranges::any_of(table_.names, [&](const std::string& field) { return means(field, meaning); });
  }
  bool any_surely(Meaning meaning) const {
    return std::ranges::any_of(table_.names, [&](const std::string& field) { return surely_means(field, meaning); });
  }
  bool first_is_unique() const {
    std::set<std::string> seen;
    return std::ranges::all_of(table_.data,
                               [&](const auto& row) { return !row.empty() && seen.insert(row[0]).second; });
  }
  std::set<std::string> values(std::size_t column) const {
    std::set<std::string> result;
    for (const auto& row : table_.data) {
      if (column < row.size()) result.insert(row[column]);
    }
    return result;
  }
  // Two columns that hold the same things, which are no plain numbers: those may be of anything.
  bool same_words() const {
    const auto first = values(0);
    const auto second = values(1);
    const auto plain = [](const std::string& id) { return is_number(id); };
    if (first.empty() || second.empty() || std::ranges::all_of(first, plain)) return false;
    const auto common = std::ranges::count_if(second, [&](const std::string& id) { return first.contains(id); });
    return 2 * common >= std::ssize(second);
  }
  bool is_called_friends() const {
    const auto stem = stem_of(name_);
    return std::ranges::any_of(friends_words,
                               [&](std::string_view word) { return stem.find(word) != std::string::npos; });
  }

  // What is left is interactions where it can be read so.
  FileGuess as_interactions(const std::string& why) const {
    try {
      detect_layout(head_, name_, request_);
      return guessed(FileKind::interactions, why);
    } catch (const InputError& error) {
      return guessed(FileKind::none, error.what());
    }
  }

  FileGuess as_table(FileKind kind, const std::string& why) const {
    try {
      detect_table(head_, name_);
      return guessed(kind, why, true);
    } catch (const InputError& error) {
      return guessed(FileKind::none, error.what());
    }
  }

  FileGuess by_names() const {
    const bool user = any(Meaning::user);
    const bool item = any(Meaning::item);
    const auto& first = table_.names.front();
    if (!any_surely(Meaning::item) && any(Meaning::target) && (any(Meaning::source) || user)) {
      return guessed(FileKind::social, "its columns are two users");
    }
    if (any_surely(Meaning::user) && any_surely(Meaning::item))
      return as_interactions("its columns are users and items");
    if (first_is_unique()) {
      if (surely_means(first, Meaning::user)) return as_table(FileKind::user_attributes, "a row for each user");
      if (!user && surely_means(first, Meaning::item))
        return as_table(FileKind::item_attributes, "a row for each item");
      if (!user && plain_name(first) == "id" && names(stem_of(name_), Meaning::user)) {
        return as_table(FileKind::user_attributes, "its name, and a row for each user");
      }
      if (!user && plain_name(first) == "id" && names(stem_of(name_), Meaning::item)) {
        return as_table(FileKind::item_attributes, "its name, and a row for each item");
      }
    }
    if (!user && !item && is_called_friends()) return guessed(FileKind::social, "its name");
    return as_interactions(user && item ? "its columns are users and items" : "no name of a column speaks against it");
  }

  FileGuess by_contents() const {
    const auto stem = stem_of(name_);
    if (first_is_unique() && named_or_first().size() > 2) {
      if (names(stem, Meaning::user)) return as_table(FileKind::user_attributes, "its name, and a row for each user");
      if (names(stem, Meaning::item)) return as_table(FileKind::item_attributes, "its name, and a row for each item");
    }
    if (named_or_first().size() <= 3 && is_called_friends()) return guessed(FileKind::social, "its name");
    if (named_or_first().size() <= 3 && same_words()) {
      return guessed(FileKind::social, "its two columns hold the same ids");
    }
    return as_interactions("pairs");
  }

  std::string_view head_;
  const std::string& name_;
  const LayoutRequest& request_;
  HeadTable table_;
};

}  // namespace

FileGuess guess_kind(std::string_view head, const std::string& name, const LayoutRequest& request) {
  if (is_empty_head(head)) {
    auto guess = guessed(FileKind::none, name + ": the file is empty; leave it out or put data into it");
    guess.empty = true;
    return guess;
  }
  try {
    return Guesser(head, name, request).guess();
  } catch (const InputError& error) {
    return guessed(FileKind::none, error.what());
  }
}

void settle_parts(std::vector<FileGuess>& guesses) {
  const auto named = std::ranges::find_if(
      guesses, [](const FileGuess& guess) { return !guess.names.empty() && guess.kind == FileKind::interactions; });
  const auto first = std::ranges::find(guesses, FileKind::interactions, &FileGuess::kind);
  if (first == guesses.end()) return;
  for (auto& guess : guesses) {
    const bool part = named != guesses.end() && guess.names.empty() && guess.columns == named->columns;
    if (part || guess.empty) guess.kind = FileKind::interactions;
  }
}

}  // namespace cohort
