#include "ingest/records/column_choice.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "ingest/records/chosen_columns.hpp"
#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/file_head.hpp"
#include "ingest/records/time_text.hpp"

namespace cohort {

namespace {

// Of files without a header.
constexpr std::int32_t most_columns_by_order = 12;
// Of numbers, beside the user.
constexpr std::ptrdiff_t fewest_columns_of_items = 5;

std::string joined(const std::vector<std::string>& fields) {
  std::string result;
  for (const auto& field : fields) result += (result.empty() ? "" : ", ") + field.substr(0, 60);
  return printable(result.substr(0, 400));
}

class Chooser {
 public:
  Chooser(FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request, std::vector<std::string>& warnings)
      : layout_(layout),
        seen_(seen),
        request_(request),
        warnings_(warnings),
        roles_(roles_of(request.role)),
        asked_(applies(request.columns, request.role)) {}

  void choose() {
    if (layout_.columns < 2) {
      const auto remedy = format_remedy(request_, "tsv, csv, ssv, ml, inter, lightgcn or json");
      throw InputError(seen_.file + ":1: a line needs at least two columns, " + std::string(roles_.first) + " and " +
                       std::string(roles_.second) + "; this has one: " + joined(first_fields()) +
                       "; if it is a title, take it out" +
                       (remedy.empty() ? "; separate them by tab, comma or spaces"
                                       : "; if it is written in another format, " + remedy));
    }
    choose_ids();
    if (request_.role == FileRole::labels) return;
    if (asked_) {
      choose_asked_values();
    } else if (!seen_.names.empty()) {
      choose_named_values();
    } else {
      choose_values_by_order();
    }
    choose_split();
  }

 private:
  using Index = std::int32_t;

  const std::vector<std::string>& first_fields() const {
    static const std::vector<std::string> none;
    return !seen_.names.empty() ? seen_.names : seen_.data.empty() ? none : seen_.data[0];
  }
  const std::string& name(Index column) const { return seen_.names[column]; }

  // What to do about a role that cannot be told.
  std::string remedy(std::string_view role) const {
    const auto column = std::string(role);
    return request_.settable ? "set input.columns." + column : "name the column \"" + column + "\" in the header";
  }

  // RecBole's lists of tokens are no ids, and its floats neither.
  bool may_be_id(Index column) const { return !seen_.typed || name(column).ends_with(":token"); }

  std::optional<Index> by_name(Meaning meaning, Index other) const {
    for (const auto known : known_names(meaning)) {
      for (Index c = 0; c < std::ssize(seen_.names); ++c) {
        if (c != other && may_be_id(c) && plain_name(name(c)) == known) return c;
      }
    }
    // What stands in an object, or in a table: properties.product_id, export.user_id.
    std::optional<Index> found;
    for (Index c = 0; c < std::ssize(seen_.names); ++c) {
      if (c == other || !may_be_id(c) || !surely_means(last_part(name(c)), meaning)) continue;
      if (found) return std::nullopt;
      found = c;
    }
    return found;
  }

  // A table of classes has ids of nothing but users; `cohort export` calls them so.
  std::optional<Index> named_id(Index other) const {
    for (Index c = 0; c < std::ssize(seen_.names); ++c) {
      if (c != other && may_be_id(c) && plain_name(name(c)) == "id") return c;
    }
    return std::nullopt;
  }

  // Columns that may hold ids though no name says so: `other` is taken, and what is another name for it (user_name
  // beside user_id) is not the second.
  std::vector<Index> candidates(Index other, std::optional<Meaning> taken) const {
    std::vector<Index> result;
    for (Index c = 0; c < std::ssize(seen_.names); ++c) {
      const auto& field = name(c);
      const bool value = means(field, Meaning::weight) || means(field, Meaning::time) || means(field, Meaning::event);
      if (c == other || !may_be_id(c) || value || numbers_records(field) || (taken && means(field, *taken))) continue;
      result.push_back(c);
    }
    return result;
  }

  // RecBole's columns of type token but for `other`, whatever their names, where they do not number the records.
  std::vector<Index> tokens(Index other) const {
    std::vector<Index> result;
    for (Index c = 0; c < std::ssize(seen_.names); ++c) {
      if (c != other && may_be_id(c) && !numbers_records(name(c))) result.push_back(c);
    }
    return result;
  }

  void choose_ids() {
    const auto* first = asked_ ? chosen(request_.columns, roles_.first) : nullptr;
    const auto* second = asked_ ? chosen(request_.columns, roles_.second) : nullptr;
    Index user = first ? column(roles_.first, *first) : -1;
    Index item = second ? column(roles_.second, *second) : -1;
    if (seen_.names.empty()) {
      if (user < 0) user = 0;
      if (item < 0) item = 1;
    } else {
      if (user < 0) user = by_name(roles_.first_meaning, item).value_or(-1);
      if (user < 0 && request_.role == FileRole::social) user = by_name(Meaning::user, item).value_or(-1);
      if (user < 0 && request_.role == FileRole::labels) user = named_id(item).value_or(-1);
      if (item < 0) item = by_name(roles_.second_meaning, user).value_or(-1);
      if (user < 0 && item < 0) {
        take_by_order(user, item);
      } else if (user < 0) {
        user = the_other(roles_.first, item, second ? std::nullopt : std::optional(roles_.second_meaning));
      } else if (item < 0) {
        item = the_other(roles_.second, user, first ? std::nullopt : std::optional(roles_.first_meaning));
      }
    }
    layout_.first = user;
    layout_.second = item;
    if (user == item) {
      throw InputError(seen_.file + ": column " + std::to_string(user) + " cannot be both " +
                       std::string(roles_.first) + " and " + std::string(roles_.second) +
                       (request_.settable ? "; set input.columns" : ""));
    }
  }

  // One of the two is known; the other has no known name.
  Index the_other(std::string_view role, Index known, std::optional<Meaning> taken) const {
    auto left = candidates(known, taken);
    // Friends are users too: user_id and any other column of users.
    if (left.empty() && request_.role == FileRole::social) left = candidates(known, std::nullopt);
    if (left.empty() && seen_.typed) left = tokens(known);
    // A wrong item would be a wrong result; friends and classes can be nothing else.
    const bool may_guess = seen_.typed || request_.role != FileRole::interactions;
    const bool items = !left.empty() && request_.role == FileRole::social && surely_means(name(left[0]), Meaning::item);
    if (may_guess && !items && (left.size() == 1 || (seen_.typed && !left.empty()))) return left[0];
    const bool wide = request_.role == FileRole::interactions && role == roles_.second &&
                      std::ssize(left) >= fewest_columns_of_items &&
                      std::ranges::all_of(left, [&](Index c) { return holds(c, is_number); });
    throw InputError(seen_.file + ": cannot tell which column is the " + std::string(role) + "; " + remedy(role) +
                     (request_.settable ? " to one of: " : ". It has: ") + joined(seen_.names) +
                     (wide ? ". If each column is of an item, write a line for each user and item instead, as pandas' "
                             "melt does"
                           : ""));
  }

  void take_by_order(Index& user, Index& item) {
    auto left = candidates(-1, std::nullopt);
    if (left.size() < 2 && seen_.typed) {
      left = tokens(-1);
      if (left.size() < 2) {
        throw InputError(seen_.file + ": the header names no two columns of type token: " + joined(seen_.names));
      }
    }
    if (left.size() < 2) {
      throw InputError(seen_.file + ": cannot tell which columns are the " + std::string(roles_.first) + " and the " +
                       std::string(roles_.second) + "; " + remedy(roles_.first) + " and " +
                       (request_.settable ? "input.columns." + std::string(roles_.second) + " to two of: "
                                          : "\"" + std::string(roles_.second) + "\". It has: ") +
                       joined(seen_.names));
    }
    user = left[0];
    item = left[1];
    const bool either_way = request_.role == FileRole::social && left.size() == 2;
    if (!seen_.typed && request_.role != FileRole::labels && !either_way) {
      warnings_.push_back("none of the header's names (" + joined(seen_.names) + ") is known as that of a " +
                          std::string(roles_.first) + " or " + std::string(roles_.second) + "; " +
                          column_text(user, seen_.names) + " is taken as the " + std::string(roles_.first) + ", " +
                          column_text(item, seen_.names) + " as the " + std::string(roles_.second) +
                          (request_.settable ? "; set input.columns." + std::string(roles_.first) +
                                                   " and input.columns." + std::string(roles_.second) + " to be sure"
                                             : "; call them so in the header to be sure"));
    }
  }

  // How a message speaks of a setting of input.columns.
  std::string asked_for(std::string_view role, const std::string& text) const {
    return (request_.settable ? "" : "the result was made with ") + std::string("input.columns.") + std::string(role) +
           " = " + text;
  }

  // The column that input.columns gives for `role`.
  Index column(std::string_view role, const std::string& text) const {
    const auto key = asked_for(role, text);
    if (is_whole_number(text)) {
      Index index = -1;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
      if (error == std::errc() && index < layout_.columns) return index;
      throw InputError(seen_.file + ": " + key + ", but the file has " + std::to_string(layout_.columns) +
                       " columns (counted from 0): " + joined(first_fields()));
    }
    for (Index c = 0; c < std::ssize(seen_.names); ++c) {
      if (name(c) == text || without_type(name(c)) == text) return c;
    }
    for (Index c = 0; c < std::ssize(seen_.names); ++c) {
      if (plain_name(name(c)) == plain_name(text)) return c;
    }
    if (seen_.names.empty()) {
      throw InputError(seen_.file + ": " + key + ", but the file has no header with that name; " +
                       (request_.settable ? "give the column's index, counted from 0" : "give it such a header") +
                       ". Its first line: " + joined(first_fields()));
    }
    throw InputError(seen_.file + ": " + key + ", but the header has only: " + joined(seen_.names));
  }

  void choose_asked_values() {
    const auto& columns = request_.columns;
    const auto* weight = chosen(columns, "weight");
    const auto* time = request_.role == FileRole::interactions ? chosen(columns, "time") : nullptr;
    // Where input.columns speaks of both kinds of file, the weight may be in one of them only.
    const bool shared = chosen(columns, "source") || chosen(columns, "target");
    if (weight && !shared) layout_.weight = column("weight", *weight);
    if (weight && shared) {
      try {
        layout_.weight = column("weight", *weight);
      } catch (const InputError&) {
        layout_.weight = -1;
      }
    }
    if (time) layout_.time = column("time", *time);
    const auto* event = request_.role == FileRole::interactions ? chosen(columns, "event") : nullptr;
    if (event) layout_.event = column("event", *event);
    for (const auto other : {layout_.first, layout_.second, layout_.weight, layout_.time}) {
      if (event && layout_.event == other) {
        throw InputError(seen_.file + ": " + asked_for("event", *event) +
                         ", which is the column of something else as well");
      }
    }
  }

  // Which records are held out is never told by a name alone.
  void choose_split() {
    const auto* split = request_.role == FileRole::interactions ? chosen(request_.columns, "split") : nullptr;
    if (!split) return;
    layout_.split = column("split", *split);
    for (const auto other : {layout_.first, layout_.second, layout_.weight, layout_.time, layout_.event}) {
      if (layout_.split == other) {
        throw InputError(seen_.file + ": " + asked_for("split", *split) +
                         ", which is the column of something else as well; set input.columns");
      }
    }
  }

  // Fields that `fits`, or nothing but missing ones.
  template <class Fits>
  bool holds(Index column, Fits fits) const {
    const auto at = static_cast<std::size_t>(column);
    const auto has = [&](auto test) {
      return std::ranges::any_of(seen_.data, [&](const auto& row) { return at < row.size() && test(row[at]); });
    };
    return has([&](const std::string& field) { return fits(field); }) ||
           !has([](const std::string& field) { return !is_missing(field); });
  }

  // The columns whose name says so, the preferred ones first.
  std::vector<Index> named(Meaning meaning) const {
    std::vector<Index> result;
    for (const auto known : known_names(meaning)) {
      for (Index c = 0; c < std::ssize(seen_.names); ++c) {
        const bool list = seen_.typed && name(c).ends_with("_seq");
        const auto own = name_beside(name(c), name(layout_.first), name(layout_.second));
        if (c == layout_.first || c == layout_.second || list || plain_name(own) != known) continue;
        result.push_back(c);
      }
    }
    // Those beside the ids before those around them, as Elasticsearch's _score is around its _source.
    const auto around = [&](Index c) {
      return name_beside(name(c), name(layout_.first), name(layout_.second)) == name(c);
    };
    std::stable_partition(result.begin(), result.end(), [&](Index c) { return !around(c); });
    return result;
  }

  void choose_named_values() {
    const auto weights = named(Meaning::weight);
    const auto weight = std::ranges::find_if(weights, [&](Index c) { return holds(c, is_number); });
    // A rating that is a word is refused line by line, rather than passed over.
    if (!weights.empty()) layout_.weight = weight == weights.end() ? weights[0] : *weight;
    if (request_.role != FileRole::interactions) return;
    auto times = named(Meaning::time);
    // Beside columns of months and years a day is one of a month.
    const auto is_part = [&](const std::string& field) {
      return plain_name(field) == "month" || plain_name(field) == "year";
    };
    if (std::ranges::any_of(seen_.names, is_part)) {
      std::erase_if(times, [&](Index c) { return plain_name(name(c)) == "day"; });
    }
    const auto time = std::ranges::find_if(times, [&](Index c) { return holds(c, is_time); });
    if (time != times.end()) {
      layout_.time = *time;
    } else if (!times.empty()) {
      const auto& row = seen_.data[0];
      const auto at = static_cast<std::size_t>(times[0]);
      warnings_.push_back(column_text(times[0], seen_.names) + " holds times that cannot be read (" +
                          quoted(at < row.size() ? row[at] : "", 40) +
                          "), so times are left out; write them as seconds since 1970 or as 2014-04-07 12:30:00");
    }
    const auto events = named(Meaning::event);
    if (!events.empty()) layout_.event = events[0];
    // Where nothing else can be the item, what was done is.
    if (events.empty() && means(name(layout_.second), Meaning::event)) layout_.event = layout_.second;
  }

  // Of data without a header: dates in words that no weight could be.
  bool holds_dates(Index column) const {
    return holds(column, [](const std::string& field) { return read_date(field).has_value(); }) &&
           !holds(column, is_number);
  }

  // Behind a separator that ends every line, for one.
  bool is_empty(Index column) const {
    const auto at = static_cast<std::size_t>(column);
    return std::ranges::all_of(seen_.data,
                               [&](const auto& row) { return at >= row.size() || trimmed(row[at]).empty(); });
  }

  void require_number(Index column, std::string_view role) const {
    const auto& field = seen_.data[0][column];
    if (is_number(field)) return;
    throw InputError(seen_.file + ":1: " + column_text(column, {}) + " would be the " + std::string(role) + ", but " +
                     quoted(field) + " is no number; " +
                     (request_.settable ? "say in input.columns which columns are meant"
                                        : "give the file a header that names its columns"));
  }

  void refuse_many_columns() const {
    if (layout_.columns <= most_columns_by_order) return;
    throw InputError(seen_.file + ": has " + std::to_string(layout_.columns) +
                     " columns and no header, so what they are cannot be told; " +
                     (request_.settable ? "say it in input.columns" : "put a header before them") +
                     ". If each column is of an item, write a line for each user and item instead");
  }

  void choose_values_by_order() {
    refuse_many_columns();
    if (layout_.columns > 2 && !is_empty(2)) {
      if (request_.role == FileRole::interactions && holds_dates(2)) {
        layout_.time = 2;
        return;
      }
      layout_.weight = 2;
      require_number(2, "weight");
    }
    if (layout_.columns > 3 && request_.role == FileRole::interactions && !is_empty(3)) {
      layout_.time = 3;
      if (!holds_dates(3)) require_number(3, "time");
    }
  }

  FileLayout& layout_;
  const ColumnsSeen& seen_;
  const LayoutRequest& request_;
  std::vector<std::string>& warnings_;
  Roles roles_;
  bool asked_;
};

}  // namespace

void choose_columns(FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                    std::vector<std::string>& warnings) {
  Chooser(layout, seen, request, warnings).choose();
}

std::string column_text(std::int32_t column, const std::vector<std::string>& names) {
  const auto at = static_cast<std::size_t>(column);
  const auto text = "column " + std::to_string(column);
  return at < names.size() ? text + " (" + quoted(without_type(names[at]), 40) + ")" : text;
}

}  // namespace cohort
