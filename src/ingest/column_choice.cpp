// Which columns of a file mean what.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/error.hpp"
#include "ingest/file_layout.hpp"

namespace cohort {

namespace {

using Names = std::vector<std::string_view>;

const Names& user_names() {
  static const Names names{"user",       "user_id",    "userid",    "uid",  "customer", "customer_id",
                           "customerid", "visitor_id", "visitorid", "node", "node_id"};
  return names;
}

const Names& item_names() {
  static const Names names{"item",     "item_id",     "itemid",      "iid",       "movie",     "movie_id",
                           "movieid",  "product",     "product_id",  "productid", "artist_id", "artistid",
                           "track_id", "song_id",     "business_id", "book_id",   "bookid",    "isbn",
                           "asin",     "parent_asin", "location_id", "venue_id"};
  return names;
}

const Names& weight_names() {
  static const Names names{"weight", "rating", "count", "score", "stars", "play_count", "plays"};
  return names;
}

const Names& time_names() {
  static const Names names{"time", "timestamp", "unixtime", "unix_time"};
  return names;
}

const Names& event_names() {
  static const Names names{"event",          "event_type",  "eventtype",  "event_name",
                           "behavior",       "behaviour",   "action",     "behavior_type",
                           "behaviour_type", "action_type", "actiontype", "interaction_type"};
  return names;
}

const Names& source_names() {
  static const Names names{"source", "source_id", "from", "from_id", "user", "user_id", "user1", "user_a", "u"};
  return names;
}

const Names& target_names() {
  static const Names names{"target", "target_id", "to", "to_id", "friend", "friend_id", "user2", "user_b", "v"};
  return names;
}

const Names& label_names() {
  static const Names names{"label", "segment", "class", "community", "group"};
  return names;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  return result;
}

// "user_id:token" is named user_id.
std::string_view base_name(std::string_view field) {
  return field.substr(0, field.find(':'));
}

std::optional<std::int32_t> find_known(const std::vector<std::string>& fields, const Names& known) {
  for (const auto name : known) {
    for (std::size_t c = 0; c < fields.size(); ++c) {
      if (lower(base_name(fields[c])) == name) return static_cast<std::int32_t>(c);
    }
  }
  return std::nullopt;
}

bool is_index(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string joined(const std::vector<std::string>& fields) {
  std::string result;
  for (const auto& field : fields) result += (result.empty() ? "" : ", ") + field.substr(0, 60);
  return result.substr(0, 400);
}

const std::string* chosen(const ColumnChoice& columns, std::string_view role) {
  for (const auto& [name, column] : columns) {
    if (name == role) return &column;
  }
  return nullptr;
}

struct Roles {
  std::string_view first, second;
  const Names& first_names;
  const Names& second_names;
};

Roles roles_of(FileRole role) {
  if (role == FileRole::social) return {"source", "target", source_names(), target_names()};
  if (role == FileRole::labels) return {"user", "label", user_names(), label_names()};
  return {"user", "item", user_names(), item_names()};
}

// input.columns speaks of both kinds of file: of a social file where it names source or target, of interactions where
// it names anything else but a weight beside them.
bool applies(const ColumnChoice& columns, FileRole role) {
  if (role == FileRole::labels) return false;
  const bool social = chosen(columns, "source") || chosen(columns, "target");
  if (role == FileRole::social) return social;
  return chosen(columns, "user") || chosen(columns, "item") || chosen(columns, "time") || chosen(columns, "event") ||
         (chosen(columns, "weight") && !social);
}

class Resolver {
 public:
  Resolver(const FileLayout& layout, const std::vector<std::string>& names, const std::vector<std::string>& first_line,
           const std::string& file)
      : count_(layout.columns), names_(names), first_line_(first_line), file_(file) {}

  // The column that input.columns gives for `role`.
  std::int32_t column(std::string_view role, const std::string& text) const {
    const std::string key = "input.columns." + std::string(role) + " = " + text;
    if (is_index(text)) {
      std::int32_t index = -1;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
      if (error == std::errc() && index < count_) return index;
      throw InputError(file_ + ": " + key + ", but the file has " + std::to_string(count_) +
                       " columns (counted from 0): " + joined(first_line_));
    }
    for (std::size_t c = 0; c < names_.size(); ++c) {
      if (names_[c] == text || base_name(names_[c]) == text) return static_cast<std::int32_t>(c);
    }
    if (names_.empty()) {
      throw InputError(file_ + ": " + key + ", but the file has no header with that name; give the column's index, " +
                       "counted from 0. Its first line: " + joined(first_line_));
    }
    throw InputError(file_ + ": " + key + ", but the header has only: " + joined(names_));
  }

  std::int32_t known(std::string_view role, const Names& known_names) const {
    if (const auto found = find_known(names_, known_names)) return *found;
    throw InputError(file_ + ": cannot tell which column is the " + std::string(role) + "; set input.columns." +
                     std::string(role) + " to one of: " + joined(names_));
  }

 private:
  std::int32_t count_;
  const std::vector<std::string>& names_;
  const std::vector<std::string>& first_line_;
  const std::string& file_;
};

bool is_number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

void require_number(const std::vector<std::string>& line, std::int32_t column, std::string_view role,
                    const std::string& file) {
  const auto& field = line[static_cast<std::size_t>(column)];
  if (is_number(field)) return;
  throw InputError(file + ":1: column " + std::to_string(column) + " would be the " + std::string(role) + ", but \"" +
                   field.substr(0, 60) + "\" is no number; say in input.columns which columns are meant");
}

}  // namespace

bool looks_like_header(const std::vector<std::string>& fields, FileRole role, const ColumnChoice& columns) {
  const auto roles = roles_of(role);
  if (find_known(fields, roles.first_names) || find_known(fields, roles.second_names)) return true;
  if (!applies(columns, role)) return false;
  return std::ranges::any_of(columns, [&](const auto& choice) {
    return !is_index(choice.second) && std::ranges::any_of(fields, [&](const std::string& field) {
      return base_name(field) == choice.second || field == choice.second;
    });
  });
}

void choose_columns(FileLayout& layout, const std::vector<std::string>& names, bool typed,
                    const std::vector<std::string>& first_line, const std::string& file, FileRole role,
                    const ColumnChoice& columns) {
  const auto roles = roles_of(role);
  const Resolver resolver(layout, names, first_line, file);
  const bool asked = applies(columns, role);
  if (layout.columns < 2) {
    throw InputError(file + ":1: a line needs at least two columns, " + std::string(roles.first) + " and " +
                     std::string(roles.second) + "; this has one: " + joined(first_line) +
                     "; if it is written in another format, set input.format");
  }
  const auto* first = asked ? chosen(columns, roles.first) : nullptr;
  const auto* second = asked ? chosen(columns, roles.second) : nullptr;
  if (names.empty()) {
    layout.first = 0;
    layout.second = 1;
  } else if (typed) {
    // RecBole: the first two columns of type token, in this order, whatever their names but for that of an event.
    std::vector<std::int32_t> tokens;
    for (std::size_t c = 0; c < names.size(); ++c) {
      if (names[c].ends_with(":token")) tokens.push_back(static_cast<std::int32_t>(c));
    }
    const auto event = find_known(names, event_names());
    if (event && tokens.size() > 2) std::erase(tokens, *event);
    if (tokens.size() < 2 && !(first && second)) {
      throw InputError(file + ": the header names no two columns of type token: " + joined(names));
    }
    if (tokens.size() >= 2) {
      layout.first = tokens[0];
      layout.second = tokens[1];
    }
  } else {
    if (!first) layout.first = resolver.known(roles.first, roles.first_names);
    if (!second) layout.second = resolver.known(roles.second, roles.second_names);
  }
  if (first) layout.first = resolver.column(roles.first, *first);
  if (second) layout.second = resolver.column(roles.second, *second);
  if (layout.first == layout.second) {
    throw InputError(file + ": column " + std::to_string(layout.first) + " cannot be both " + std::string(roles.first) +
                     " and " + std::string(roles.second) + "; set input.columns");
  }
  if (role == FileRole::labels) return;

  if (asked) {
    const auto* weight = chosen(columns, "weight");
    const auto* time = role == FileRole::interactions ? chosen(columns, "time") : nullptr;
    // Where input.columns speaks of both kinds of file, the weight may be in one of them only.
    const bool shared = chosen(columns, "source") || chosen(columns, "target");
    if (weight && !shared) layout.weight = resolver.column("weight", *weight);
    if (weight && shared) {
      try {
        layout.weight = resolver.column("weight", *weight);
      } catch (const InputError&) {
        layout.weight = -1;
      }
    }
    if (time) layout.time = resolver.column("time", *time);
    const auto* event = role == FileRole::interactions ? chosen(columns, "event") : nullptr;
    if (event) layout.event = resolver.column("event", *event);
    for (const auto other : {layout.first, layout.second, layout.weight, layout.time}) {
      if (event && layout.event == other) {
        throw InputError(file + ": input.columns.event = " + *event + " is the column of something else as well");
      }
    }
    return;
  }
  if (!names.empty()) {
    layout.weight = find_known(names, weight_names()).value_or(-1);
    if (role == FileRole::interactions) {
      layout.time = find_known(names, time_names()).value_or(-1);
      layout.event = find_known(names, event_names()).value_or(-1);
    }
    return;
  }
  if (layout.columns > 2) {
    layout.weight = 2;
    require_number(first_line, 2, "weight", file);
  }
  if (layout.columns > 3 && role == FileRole::interactions) {
    layout.time = 3;
    require_number(first_line, 3, "time", file);
  }
}

}  // namespace cohort
