#include "cli/output/result_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "cli/output/item_names.hpp"
#include "cli/output/recommend_output.hpp"
#include "cli/output/segments_report.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "data/id_names.hpp"
#include "store/segments_file.hpp"

namespace cohort {

namespace {

struct Table {
  const char* name;
  SegmentsPart part;
  std::function<void(const Communicator&, const SegmentsFile&, const std::string&, TableFormat, const std::string&)>
      write;
};

// What a segment is called.
std::int64_t called(const SegmentsFile& result, std::int64_t row) {
  return number_of(result.segments.number, row);
}

// Of nested segments a column for each level, level_1 being the coarsest; none where there is one level.
void add_level_columns(const SegmentsFile& result, std::vector<TableColumn>& columns) {
  const auto& levels = result.segments.levels;
  for (std::size_t level = 0; !levels.empty() && level <= levels.size(); ++level) {
    columns.push_back({fmt::format("level_{}", level + 1), CellKind::integer});
  }
}

// The segments above one of the finest, and itself.
void fill_levels(TableRow& row, const SegmentsFile& result, std::int64_t finest) {
  const auto& levels = result.segments.levels;
  if (levels.empty()) return;
  for (const auto& level : levels) row.integer(number_of(level.number, level.of_finest[finest]));
  row.integer(called(result, finest));
}

void write_users(const Communicator& comm, const SegmentsFile& result, TableFormat format, const std::string& path,
                 bool with_embedding) {
  const auto& segments = result.segments;
  std::vector<TableColumn> columns{{"id", CellKind::text},
                                   {"segment", CellKind::integer},
                                   {"distance", CellKind::real32},
                                   {"margin", CellKind::real32}};
  add_level_columns(result, columns);
  if (with_embedding) columns.push_back({"embedding", CellKind::reals32, segments.users.columns()});
  TableOutput output(comm, path, format, columns);
  output.write(result.users.block_size(), [&](TableRow& row, std::int64_t user) {
    const auto i = static_cast<std::size_t>(user);
    row.text(result.users[user]);
    row.integer(called(result, segments.segment[i]));
    row.real32(segments.distance[i]);
    row.real32(segments.margin[i]);
    fill_levels(row, result, segments.segment[i]);
    if (with_embedding) row.reals(segments.users.view().at(user));
  });
  output.commit();
}

void write_items(const Communicator& comm, const SegmentsFile& result, TableFormat format, const std::string& path) {
  const auto embedding = result.segments.items.view();
  TableOutput output(comm, path, format, {{"id", CellKind::text}, {"embedding", CellKind::reals32, embedding.columns}});
  output.write(result.items.block_size(), [&](TableRow& row, std::int64_t item) {
    row.text(result.items[item]);
    row.reals(embedding.at(item));
  });
  output.commit();
}

void write_segments(const Communicator& comm, const SegmentsFile& result, TableFormat format, const std::string& path) {
  const auto& size = result.segments.size;
  const auto distance = mean_distances(comm, result.segments.segment, result.segments.distance, size);
  std::vector<TableColumn> columns{{"segment", CellKind::integer},
                                   {"users", CellKind::integer},
                                   {"share", CellKind::real},
                                   {"mean_distance", CellKind::real}};
  add_level_columns(result, columns);
  TableOutput output(comm, path, format, columns);
  output.write(comm.is_root() ? std::ssize(size) : 0, [&](TableRow& row, std::int64_t segment) {
    const auto s = static_cast<std::size_t>(segment);
    row.integer(called(result, segment));
    row.integer(size[s]);
    row.real(static_cast<double>(size[s]) / static_cast<double>(result.users.total()));
    row.real(distance[s]);
    fill_levels(row, result, segment);
  });
  output.commit();
}

// Every segment of every level: the coarsest first.
void write_levels(const Communicator& comm, const SegmentsFile& result, TableFormat format, const std::string& path) {
  const auto& segments = result.segments;
  struct Line {
    std::int64_t level, segment, parent, users;
  };
  std::vector<Line> lines;
  for (std::size_t level = 0; comm.is_root() && level <= segments.levels.size(); ++level) {
    const auto parents = level > 0 ? parents_at(segments.levels, level) : std::vector<std::int32_t>();
    const auto& size = level < segments.levels.size() ? segments.levels[level].size : segments.size;
    for (std::size_t s = 0; s < size.size(); ++s) {
      lines.push_back({static_cast<std::int64_t>(level) + 1,
                       number_of(numbers_at(segments, level), static_cast<std::int64_t>(s)),
                       parents.empty() ? -1 : number_of(numbers_at(segments, level - 1), parents[s]), size[s]});
    }
  }
  TableOutput output(comm, path, format,
                     {{"level", CellKind::integer},
                      {"segment", CellKind::integer},
                      {"parent", CellKind::integer},
                      {"users", CellKind::integer},
                      {"share", CellKind::real}});
  output.write(std::ssize(lines), [&](TableRow& row, std::int64_t i) {
    const auto& line = lines[i];
    row.integer(line.level);
    row.integer(line.segment);
    row.integer(line.parent);
    row.integer(line.users);
    row.real(static_cast<double>(line.users) / static_cast<double>(result.users.total()));
  });
  output.commit();
}

// A row of the profile: what stands in a column, if anything does.
struct ProfileRow {
  std::int64_t segment = 0;
  const char* kind = "";
  std::string attribute;  // empty: none
  std::string name;
  std::optional<std::string> item;
  std::optional<std::int64_t> count;
  std::optional<double> share, population_share, lift;
  std::optional<std::int64_t> held_out;
  std::optional<double> expected, p_value;
  std::optional<std::int64_t> marking;
  std::optional<double> mean, population_mean, deviation, distance;
};

const std::vector<TableColumn>& profile_columns() {
  static const std::vector<TableColumn> columns{{"segment", CellKind::integer},
                                                {"kind", CellKind::text},
                                                {"attribute", CellKind::text},
                                                {"name", CellKind::text},
                                                {"item", CellKind::text},
                                                {"count", CellKind::integer},
                                                {"share", CellKind::real},
                                                {"population_share", CellKind::real},
                                                {"lift", CellKind::real},
                                                {"held_out", CellKind::integer},
                                                {"expected", CellKind::real},
                                                {"p_value", CellKind::real},
                                                {"marking", CellKind::integer},
                                                {"mean", CellKind::real},
                                                {"population_mean", CellKind::real},
                                                {"deviation", CellKind::real},
                                                {"distance", CellKind::real}};
  return columns;
}

void fill_row(TableRow& row, const ProfileRow& from) {
  const auto integer = [&](const std::optional<std::int64_t>& value) { value ? row.integer(*value) : row.none(); };
  const auto real = [&](const std::optional<double>& value) { value ? row.real(*value) : row.none(); };
  row.integer(from.segment);
  row.text(from.kind);
  from.attribute.empty() ? row.none() : row.text(from.attribute);
  row.text(from.name);
  from.item ? row.text(*from.item) : row.none();
  integer(from.count);
  real(from.share);
  real(from.population_share);
  real(from.lift);
  integer(from.held_out);
  real(from.expected);
  real(from.p_value);
  integer(from.marking);
  real(from.mean);
  real(from.population_mean);
  real(from.deviation);
  real(from.distance);
}

void add_marks(std::vector<ProfileRow>& rows, std::size_t segment, const char* kind, const MarkTable& table,
               const std::vector<std::string>& items) {
  for (const auto at : places_of(table.row_begin, segment)) {
    ProfileRow row;
    row.segment = static_cast<std::int64_t>(segment);
    row.kind = kind;
    if (!table.attribute.empty()) row.attribute = table.attribute[at];
    row.name = table.name[at];
    if (!items.empty()) row.item = items[at];
    row.count = table.count[at];
    row.share = table.share[at];
    row.population_share = table.population_share[at];
    row.lift = table.lift[at];
    if (!table.marking.empty()) {
      row.held_out = table.held_out[at];
      row.expected = table.expected[at];
      row.p_value = table.p_value[at];
      row.marking = table.marking[at];
    }
    rows.push_back(std::move(row));
  }
}

void add_list(std::vector<ProfileRow>& rows, std::size_t segment, const char* kind, const SegmentList& list,
              const std::vector<std::string>& names) {
  for (const auto at : places_of(list.row_begin, segment)) {
    ProfileRow row;
    row.segment = static_cast<std::int64_t>(segment);
    row.kind = kind;
    row.name = names[at];
    row.distance = list.value[at];
    rows.push_back(std::move(row));
  }
}

void add_numbers(std::vector<ProfileRow>& rows, std::size_t segment, const NumericProfiles& numeric) {
  for (std::size_t a = 0; a < numeric.name.size(); ++a) {
    const auto at = segment * numeric.name.size() + a;
    ProfileRow row;
    row.segment = static_cast<std::int64_t>(segment);
    row.kind = "user_number";
    row.attribute = numeric.name[a];
    row.name = numeric.name[a];
    row.count = numeric.users[at];
    row.mean = numeric.mean[at];
    row.population_mean = numeric.population_mean[a];
    row.deviation = numeric.deviation[at];
    rows.push_back(std::move(row));
  }
}

void write_profile(const Communicator& comm, const SegmentsFile& result, TableFormat format, const std::string& path) {
  const auto& profiles = *result.profiles;
  const auto user = [&](std::int64_t i) { return result.users[i]; };
  const auto items =
      texts_of(comm, result.items.distribution, profiles.items.item, [&](std::int64_t i) { return result.items[i]; });
  const auto typical = texts_of(comm, result.users.distribution, profiles.representative.id, user);
  const auto border = texts_of(comm, result.users.distribution, profiles.border.id, user);
  std::vector<std::string> nearest;
  for (const auto segment : profiles.nearest.id) nearest.push_back(std::to_string(called(result, segment)));
  std::vector<ProfileRow> rows;
  for (std::size_t s = 0; s < profiles.description.size(); ++s) {
    auto& row = rows.emplace_back();
    row.segment = static_cast<std::int64_t>(s);
    row.kind = "segment";
    row.name = profiles.description[s];
    row.count = result.segments.size[s];
    add_marks(rows, s, "item", profiles.items, items);
    add_marks(rows, s, "category", profiles.categories, {});
    add_marks(rows, s, "user_category", profiles.user_categories, {});
    add_numbers(rows, s, profiles.numeric);
    add_list(rows, s, "nearest", profiles.nearest, nearest);
    add_list(rows, s, "representative", profiles.representative, typical);
    add_list(rows, s, "border", profiles.border, border);
  }
  for (auto& row : rows) row.segment = called(result, row.segment);
  TableOutput output(comm, path, format, profile_columns());
  output.write(comm.is_root() ? std::ssize(rows) : 0,
               [&](TableRow& row, std::int64_t i) { fill_row(row, rows[static_cast<std::size_t>(i)]); });
  output.commit();
}

// The lists of segments, which have no user, and then those of users: as `recommend --csv` has them.
void write_recommendations(const Communicator& comm, const SegmentsFile& result, TableFormat format,
                           const std::string& path) {
  const auto& found = *result.recommendations;
  ListedSegments listed;
  comm.attempt([&] { listed = listed_segments(result); });
  const auto& lists_of_segments = *listed.lists;
  const auto& segment_of = listed.segment;
  const std::array<std::span<const std::int64_t>, 2> lists{found.item, lists_of_segments.item};
  const ItemNames names(comm, result.items, lists, [](std::string_view id) { return std::string(id); });
  TableOutput output(comm, path, format,
                     {{"user", CellKind::text},
                      {"segment", CellKind::integer},
                      {"rank", CellKind::integer},
                      {"item", CellKind::text},
                      {"score", CellKind::real32},
                      {"known", CellKind::integer}});
  // Places of entries that hold an item: lists may be shorter than they could be.
  const auto places = [](std::span<const std::int64_t> items) {
    std::vector<std::int64_t> filled;
    for (std::int64_t i = 0; i < std::ssize(items); ++i) {
      if (items[i] >= 0) filled.push_back(i);
    }
    return filled;
  };
  const auto of_segments = comm.is_root() ? places(lists_of_segments.item) : std::vector<std::int64_t>();
  output.write(std::ssize(of_segments), [&](TableRow& row, std::int64_t i) {
    const auto at = of_segments[i];
    row.none();
    row.integer(number_of(listed.number, at / found.count));
    row.integer(at % found.count + 1);
    row.text(names.of(lists_of_segments.item[at]));
    row.real32(lists_of_segments.score[at]);
    row.integer(lists_of_segments.known[at]);
  });
  const auto of_users = places(found.item);
  output.write(std::ssize(of_users), [&](TableRow& row, std::int64_t i) {
    const auto at = of_users[i];
    row.text(result.users[at / found.count]);
    row.integer(number_of(listed.number, segment_of[at / found.count]));
    row.integer(at % found.count + 1);
    row.text(names.of(found.item[at]));
    row.real32(found.score[at]);
    row.none();
  });
  output.commit();
}

void need(bool there, const std::string& file, const char* what) {
  if (!there) throw InputError(file + " has no " + what);
}

const std::vector<Table>& tables() {
  constexpr const char* no_items = "items: its graph was made of social edges alone";
  static const std::vector<Table> all{
      {"users", SegmentsPart::membership,
       [](const auto& comm, const auto& result, const auto&, auto format, const auto& path) {
         write_users(comm, result, format, path, false);
       }},
      {"embedding", SegmentsPart::embeddings,
       [](const auto& comm, const auto& result, const auto&, auto format, const auto& path) {
         write_users(comm, result, format, path, true);
       }},
      {"segments", SegmentsPart::membership,
       [](const auto& comm, const auto& result, const auto&, auto format, const auto& path) {
         write_segments(comm, result, format, path);
       }},
      {"levels", SegmentsPart::membership,
       [](const auto& comm, const auto& result, const auto&, auto format, const auto& path) {
         write_levels(comm, result, format, path);
       }},
      {"items", SegmentsPart::embeddings,
       [](const auto& comm, const auto& result, const auto& file, auto format, const auto& path) {
         need(result.items.total() > 0, file, no_items);
         write_items(comm, result, format, path);
       }},
      {"profile", SegmentsPart::everything,
       [](const auto& comm, const auto& result, const auto& file, auto format, const auto& path) {
         need(result.profiles.has_value(), file, "profile; run `cohort profile` first");
         write_profile(comm, result, format, path);
       }},
      {"recommendations", SegmentsPart::everything,
       [](const auto& comm, const auto& result, const auto& file, auto format, const auto& path) {
         need(result.recommendations.has_value(), file,
              result.items.total() == 0 ? no_items : "recommendations; run `cohort recommend` first");
         write_recommendations(comm, result, format, path);
       }}};
  return all;
}

}  // namespace

const std::vector<std::string>& result_tables() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& table : tables()) all.emplace_back(table.name);
    return all;
  }();
  return names;
}

void write_result_table(const Communicator& comm, const std::string& result, std::string_view table, TableFormat format,
                        const std::string& path) {
  const auto found =
      std::find_if(tables().begin(), tables().end(), [&](const Table& one) { return one.name == table; });
  COHORT_CHECK(found != tables().end(), "a table that export knows");
  found->write(comm, read_segments_file(comm, result, found->part), result, format, path);
}

}  // namespace cohort
