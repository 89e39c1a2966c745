#include "store/profiles.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "store/checked_values.hpp"

namespace cohort {

namespace {

// Every column once, for writing and for reading: visit(name, vector).
template <class List, class Visit>
void list_columns(const std::string& group, List& list, Visit visit) {
  visit(group + "/row_begin", list.row_begin);
  visit(group + "/id", list.id);
  visit(group + "/value", list.value);
}

template <class Table, class Visit>
void mark_columns(const std::string& group, Table& table, Visit visit) {
  visit(group + "/row_begin", table.row_begin);
  visit(group + "/item", table.item);
  visit(group + "/attribute", table.attribute);
  visit(group + "/name", table.name);
  visit(group + "/count", table.count);
  visit(group + "/population", table.population);
  visit(group + "/share", table.share);
  visit(group + "/population_share", table.population_share);
  visit(group + "/lift", table.lift);
  visit(group + "/held_out", table.held_out);
  visit(group + "/held_out_total", table.held_out_total);
  visit(group + "/expected", table.expected);
  visit(group + "/p_value", table.p_value);
  visit(group + "/marking", table.marking);
}

template <class AnyProfiles, class Visit>
void profile_columns(const std::string& group, AnyProfiles& profiles, Visit visit) {
  visit(group + "/interactions", profiles.interactions);
  visit(group + "/distinct_items", profiles.distinct_items);
  visit(group + "/mean_interactions", profiles.mean_interactions);
  visit(group + "/median_interactions", profiles.median_interactions);
  visit(group + "/first_time", profiles.first_time);
  visit(group + "/last_time", profiles.last_time);
  visit(group + "/median_last_time", profiles.median_last_time);
  visit(group + "/social_inside", profiles.social_inside);
  visit(group + "/social_outside", profiles.social_outside);
  list_columns(group + "/nearest", profiles.nearest, visit);
  list_columns(group + "/representative", profiles.representative, visit);
  list_columns(group + "/border", profiles.border, visit);
  mark_columns(group + "/items", profiles.items, visit);
  mark_columns(group + "/categories", profiles.categories, visit);
  mark_columns(group + "/user_categories", profiles.user_categories, visit);
  visit(group + "/numeric/name", profiles.numeric.name);
  visit(group + "/numeric/population_mean", profiles.numeric.population_mean);
  visit(group + "/numeric/population_spread", profiles.numeric.population_spread);
  visit(group + "/numeric/users", profiles.numeric.users);
  visit(group + "/numeric/mean", profiles.numeric.mean);
  visit(group + "/numeric/deviation", profiles.numeric.deviation);
  visit(group + "/description", profiles.description);
  visit(group + "/tested", profiles.tested);
  visit(group + "/attribute_file", profiles.attribute_file);
  visit(group + "/attribute_sha256", profiles.attribute_sha256);
  visit(group + "/false_discovery_rate", profiles.false_discovery_rate);
  visit(group + "/activity_share", profiles.activity_share);
}

template <class AnyAdditions, class Visit>
void addition_columns(const std::string& group, AnyAdditions& additions, Visit visit) {
  mark_columns(group + "/items", additions.items, visit);
  mark_columns(group + "/categories", additions.categories, visit);
  mark_columns(group + "/user_categories", additions.user_categories, visit);
  visit(group + "/description", additions.description);
}

class WriteColumn {
 public:
  explicit WriteColumn(h5::Writer& file, bool is_root) : file_(file), is_root_(is_root) {}
  template <h5::Number T>
  void operator()(const std::string& name, const std::vector<T>& values) const {
    if (!values.empty()) file_.shared(name, std::span<const T>(values));
  }
  void operator()(const std::string& name, const std::vector<std::string>& texts) const {
    if (texts.empty()) return;
    file_.strings(name, is_root_ ? std::ssize(texts) : 0, [&](std::int64_t i) -> std::string_view { return texts[i]; });
  }

 private:
  h5::Writer& file_;
  bool is_root_;
};

class ReadColumn {
 public:
  explicit ReadColumn(const h5::Reader& file) : file_(file) {}
  template <h5::Number T>
  void operator()(const std::string& name, std::vector<T>& values) const {
    if (is_there(name)) values = file_.all<T>(name);
  }
  void operator()(const std::string& name, std::vector<std::string>& texts) const {
    if (is_there(name)) texts = file_.all_strings(name);
  }

 private:
  // A column of nothing is absent.
  bool is_there(const std::string& name) const {
    if (!file_.has(name)) return false;
    if (file_.shape(name) == std::vector<std::int64_t>{0}) throw file_.wrong(name, "has no rows");
    return true;
  }

  const h5::Reader& file_;
};

bool ascends_to(const std::vector<std::int64_t>& row_begin, std::int64_t segments, std::size_t rows) {
  return std::ssize(row_begin) == segments + 1 && row_begin.front() == 0 && std::ranges::is_sorted(row_begin) &&
         row_begin.back() == static_cast<std::int64_t>(rows);
}

// A column has a value for every row, or is absent.
template <class Table>
bool whole(Table& table, std::int64_t segments) {
  bool fits = ascends_to(table.row_begin, segments, table.lift.size());
  mark_columns("", table, [&](const std::string& name, const auto& column) {
    fits = fits && (name == "/row_begin" || column.empty() || column.size() == table.lift.size());
  });
  return fits && table.name.size() == table.lift.size();
}

bool fits(const Profiles& profiles, std::int64_t segments) {
  const auto k = static_cast<std::size_t>(segments);
  const auto list = [&](const SegmentList& rows) {
    return ascends_to(rows.row_begin, segments, rows.id.size()) && rows.id.size() == rows.value.size();
  };
  const auto values = [&](const auto& column) { return column.empty() || column.size() == k; };
  const auto& numeric = profiles.numeric;
  const auto attributes = numeric.name.size();
  return profiles.description.size() == k && profiles.interactions.size() == k &&
         profiles.mean_interactions.size() == k && profiles.median_interactions.size() == k &&
         profiles.distinct_items.size() == k && profiles.tested.size() == 2 && profiles.activity_share.size() <= 1 &&
         profiles.false_discovery_rate.size() <= 1 &&
         profiles.attribute_file.size() == profiles.attribute_sha256.size() && values(profiles.first_time) &&
         values(profiles.last_time) && values(profiles.median_last_time) && values(profiles.social_inside) &&
         values(profiles.social_outside) && list(profiles.nearest) && list(profiles.representative) &&
         list(profiles.border) && whole(profiles.items, segments) && whole(profiles.categories, segments) &&
         whole(profiles.user_categories, segments) && numeric.population_mean.size() == attributes &&
         numeric.population_spread.size() == attributes && numeric.mean.size() == attributes * k &&
         numeric.deviation.size() == attributes * k && numeric.users.size() == attributes * k;
}

InputError other_number(const h5::Reader& file, const std::string& group, std::int64_t segments) {
  return InputError(file.path() + ": the tables of /" + group + " do not fit its " + std::to_string(segments) +
                    " segments; run `cohort profile` again");
}

}  // namespace

void write_profiles(const Communicator& comm, h5::Writer& file, const std::string& group, const Profiles& profiles) {
  profile_columns(group, profiles, WriteColumn(file, comm.is_root()));
}

std::optional<Profiles> read_profiles(const Communicator& comm, const h5::Reader& file, const std::string& group,
                                      const ProfiledCounts& counts) {
  if (!file.has_group_of(group + "/description")) return std::nullopt;
  Profiles profiles;
  profile_columns(group, profiles, ReadColumn(file));
  comm.attempt([&] {
    if (!fits(profiles, counts.segments)) throw other_number(file, group, counts.segments);
  });
  const auto numbers = [&](const char* name, const std::vector<std::int64_t>& values, std::int64_t count,
                           const char* of) {
    check_numbers<std::int64_t>(comm, file, group + "/" + name, values, 0, count, of);
  };
  numbers("nearest/id", profiles.nearest.id, counts.segments, "segments");
  numbers("representative/id", profiles.representative.id, counts.users, "users");
  numbers("border/id", profiles.border.id, counts.users, "users");
  numbers("items/item", profiles.items.item, counts.items, "items");
  return profiles;
}

void write_additions(const Communicator& comm, h5::Writer& file, const std::string& group, const Additions& additions) {
  addition_columns(group, additions, WriteColumn(file, comm.is_root()));
}

std::optional<Additions> read_additions(const Communicator& comm, const h5::Reader& file, const std::string& group,
                                        const ProfiledCounts& counts) {
  if (!file.has_group_of(group + "/description")) return std::nullopt;
  Additions additions;
  addition_columns(group, additions, ReadColumn(file));
  comm.attempt([&] {
    if (std::ssize(additions.description) != counts.segments || !whole(additions.items, counts.segments) ||
        !whole(additions.categories, counts.segments) || !whole(additions.user_categories, counts.segments)) {
      throw other_number(file, group, counts.segments);
    }
  });
  check_numbers<std::int64_t>(comm, file, group + "/items/item", additions.items.item, 0, counts.items, "items");
  return additions;
}

}  // namespace cohort
