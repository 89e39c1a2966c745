#include "store/levels.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "store/checked_values.hpp"
#include "store/profiles.hpp"
#include "store/recommendations.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

// Name of something of a level, which is counted from 0 here.
std::string name_at(std::size_t level, const std::string& what) {
  return std::string(schema::levels) + "/" + std::to_string(level + 1) + "/" + what;
}

// Of this rank's users, by row: their segments at every level.
std::vector<std::int32_t> table_of(const Segments& segments) {
  std::vector<std::int32_t> table;
  table.reserve(segments.segment.size() * (segments.levels.size() + 1));
  for (const auto finest : segments.segment) {
    for (const auto& level : segments.levels) table.push_back(level.of_finest[finest]);
    table.push_back(finest);
  }
  return table;
}

// The users of every segment of a level, from those of the finest.
std::vector<std::int64_t> counted_sizes(const SegmentLevel& level, std::span<const std::int64_t> finest) {
  std::vector<std::int64_t> sizes(level.size.size(), 0);
  for (std::size_t s = 0; s < finest.size(); ++s) sizes[level.of_finest[s]] += finest[s];
  return sizes;
}

std::vector<std::int64_t> read_counts(const Communicator& comm, const h5::Reader& file, std::int64_t finest) {
  auto counts = file.all<std::int64_t>(schema::level_counts);
  comm.attempt([&] {
    const bool ascends = std::ranges::adjacent_find(counts, std::ranges::greater_equal()) == counts.end();
    if (counts.size() < 2 || counts.front() < 1 || !ascends || counts.back() != finest) {
      throw file.wrong(schema::level_counts, "does not ascend to the number of segments");
    }
  });
  return counts;
}

// How the segments of every level follow others, if they do: the finest ones do so, too.
void write_successions(h5::Writer& file, const Segments& segments) {
  if (!segments.succession) return;
  std::vector<std::int64_t> largest;
  std::vector<std::int64_t> stayed;
  for (std::size_t n = 0; n < segments.levels.size(); ++n) {
    const auto& level = segments.levels[n];
    const auto& succession = level.succession.value();
    file.shared(name_at(n, schema::level_number), std::span<const std::int64_t>(level.number));
    file.shared(name_at(n, schema::level_appeared), std::span<const std::int64_t>(succession.appeared));
    file.shared(name_at(n, schema::level_vanished), std::span<const std::int64_t>(succession.vanished));
    largest.push_back(succession.largest_number);
    stayed.push_back(succession.stayed);
  }
  file.shared(schema::level_largest_number, std::span<const std::int64_t>(largest));
  file.shared(schema::level_stayed_users, std::span<const std::int64_t>(stayed));
}

void read_successions(const h5::Reader& file, Segments& segments) {
  if (!segments.succession) return;
  const auto above = std::ssize(segments.levels);
  for (const char* name : {schema::level_largest_number, schema::level_stayed_users}) file.expect_rows(name, above);
  const auto largest = file.all<std::int64_t>(schema::level_largest_number);
  const auto stayed = file.all<std::int64_t>(schema::level_stayed_users);
  for (std::size_t n = 0; n < segments.levels.size(); ++n) {
    auto& level = segments.levels[n];
    const auto name = name_at(n, schema::level_number);
    level.number = read_numbers(file, name, std::ssize(level.size));
    if (level.number.empty() || level.number.back() > largest[n]) {
      throw file.wrong(schema::level_largest_number, "is not above the numbers of the segments");
    }
    level.succession =
        Succession{largest[n], file.all<std::int64_t>(name_at(n, schema::level_appeared)),
                   file.all<std::int64_t>(name_at(n, schema::level_vanished)), segments.succession->common, stayed[n]};
  }
}

// Which segments lie in which, and how many users each has: upwards, each level from the parents of the one below.
void read_nesting(const Communicator& comm, const h5::Reader& file, std::span<const std::int64_t> counts,
                  Segments& segments) {
  segments.levels.resize(counts.size() - 1);
  std::vector<std::int32_t> below(counts.back());
  for (std::size_t s = 0; s < below.size(); ++s) below[s] = static_cast<std::int32_t>(s);
  for (auto level = segments.levels.size(); level-- > 0;) {
    auto& found = segments.levels[level];
    const auto name = name_at(level + 1, schema::level_parent);
    file.expect_rows(name, counts[level + 1]);
    const auto parent = file.all<std::int32_t>(name);
    check_numbers<std::int32_t>(comm, file, name, parent, 0, counts[level], "segments");
    file.expect_rows(name_at(level, schema::level_size), counts[level]);
    found.size = file.all<std::int64_t>(name_at(level, schema::level_size));
    comm.attempt([&] {
      for (const auto segment : below) found.of_finest.push_back(parent[segment]);
      const bool in_order = segments.succession || std::ranges::is_sorted(found.size, std::ranges::greater());
      if (counted_sizes(found, segments.size) != found.size || !in_order) {
        throw file.wrong(name_at(level, schema::level_size), "does not count the users of the segments inside");
      }
    });
    below = found.of_finest;
  }
  const auto columns = std::ssize(counts);
  const auto rows = std::ssize(segments.segment);
  const auto first = comm.exclusive_sum(rows);
  file.expect_rows(schema::users_levels, comm.sum(rows));
  const auto table = file.table<std::int32_t>(schema::users_levels, first, rows, columns);
  comm.attempt([&] {
    if (table != table_of(segments)) {
      throw file.wrong(schema::users_levels, "is not what the segments inside each other say");
    }
  });
}

}  // namespace

std::vector<std::int64_t> read_numbers(const h5::Reader& file, const std::string& name, std::int64_t count) {
  if (!file.has(name)) return {};
  file.expect_rows(name, count);
  auto number = file.all<std::int64_t>(name);
  for (std::size_t s = 0; s < number.size(); ++s) {
    if (number[s] < (s == 0 ? 0 : number[s - 1] + 1)) throw file.wrong(name, "does not ascend");
  }
  return number;
}

void write_levels(const Communicator& comm, h5::Writer& file, const SegmentsFile& result) {
  const auto& segments = result.segments;
  const auto& levels = segments.levels;
  if (levels.empty()) return;
  std::vector<std::int64_t> counts;
  std::vector<std::int32_t> table;
  comm.attempt([&] {
    for (const auto& level : levels) counts.push_back(std::ssize(level.size));
    counts.push_back(std::ssize(segments.size));
    table = table_of(segments);
  });
  file.shared(schema::level_counts, std::span<const std::int64_t>(counts));
  file.table(schema::users_levels, std::span<const std::int32_t>(table), std::ssize(counts));
  write_successions(file, segments);
  for (std::size_t n = 0; n < levels.size(); ++n) {
    const auto& level = levels[n];
    const auto parents = parents_at(levels, n + 1);
    file.shared(name_at(n + 1, schema::level_parent), std::span<const std::int32_t>(parents));
    file.shared(name_at(n, schema::level_size), std::span<const std::int64_t>(level.size));
    file.shared(name_at(n, schema::level_centroid), level.centroid.view());
    if (level.profiles) write_profiles(comm, file, name_at(n, schema::level_profile), *level.profiles);
    if (level.recommended && result.recommendations) {
      const auto group = name_at(n, schema::level_recommended);
      write_segment_lists(file, group, *level.recommended, result.recommendations->count);
    }
  }
  if (result.recommendations) {
    file.shared(schema::level_smoothing, std::span<const double>(result.recommendations->level_smoothing));
  }
  for (std::size_t n = 0; n < result.additions.size(); ++n) {
    write_additions(comm, file, name_at(n + 1, schema::level_added), result.additions[n]);
  }
}

void read_levels(const Communicator& comm, const h5::Reader& file, SegmentsPart part, SegmentsFile& result) {
  if (!file.has_group_of(schema::level_counts)) return;
  auto& segments = result.segments;
  const auto counts = read_counts(comm, file, std::ssize(segments.size));
  read_nesting(comm, file, counts, segments);
  read_successions(file, segments);
  if (part == SegmentsPart::membership) return;
  for (std::size_t n = 0; n < segments.levels.size(); ++n) {
    const auto name = name_at(n, schema::level_centroid);
    if (file.shape(name) != std::vector{counts[n], segments.centroid.columns()}) {
      throw file.wrong(name, "has another shape than the other datasets of the file go with");
    }
    segments.levels[n].centroid = file.whole_matrix(name);
    check_finite(comm, file, name, segments.levels[n].centroid.view());
  }
  if (part == SegmentsPart::embeddings) return;
  const auto users = result.users.total();
  const auto items = result.items.total();
  for (std::size_t n = 0; n < counts.size(); ++n) {
    if (n > 0) {
      auto additions = read_additions(comm, file, name_at(n, schema::level_added), {counts[n], users, items});
      if (additions) result.additions.push_back(std::move(*additions));
    }
    if (n == segments.levels.size()) break;
    auto& level = segments.levels[n];
    level.profiles = read_profiles(comm, file, name_at(n, schema::level_profile), {counts[n], users, items});
    const auto group = name_at(n, schema::level_recommended);
    if (!result.recommendations || !file.has_group_of(group + "/item")) continue;
    level.recommended = read_segment_lists(comm, file, group, {counts[n], result.recommendations->count, items});
  }
  if (result.recommendations) {
    file.expect_rows(schema::level_smoothing, std::ssize(counts));
    result.recommendations->level_smoothing = file.all<double>(schema::level_smoothing);
  }
  comm.attempt([&] {
    if (!result.additions.empty() && result.additions.size() != segments.levels.size()) {
      throw InputError(file.path() + ": what segments add to those above is there for some levels only; run `cohort " +
                       "profile` again");
    }
    const auto listed = result.recommendations ? result.recommendations->level : 0;
    const bool above = listed > 0 && listed < std::ssize(counts);
    if (listed > std::ssize(counts) || (above && !segments.levels[listed - 1].recommended)) {
      throw InputError(file.path() + ": its lists are of a level that it does not have; run `cohort recommend` again");
    }
  });
}

}  // namespace cohort
