#include "ingest/features/feature_files.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "comm/index_plan.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "data/distinct.hpp"
#include "ingest/features/array_file.hpp"
#include "ingest/features/parquet_features.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/stored_file.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/attribute_rows.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/record_cutter.hpp"

namespace cohort {

namespace {

// Ids of a file that has one a line.
struct RowIds {
  IdTable ids;             // of the lines that are asked for
  std::int64_t lines = 0;  // in all
};

// Lines first <= line < last.
RowIds read_row_ids(const FeatureSource& features, std::int64_t first, std::int64_t last) {
  const auto& path = features.id_file;
  const auto source = open_text(path, storage_of(path, features.encoding, false));
  BlockReader::Options options;
  options.first_line = 1;
  BlockReader reader(*source, 0, options);
  RowIds found;
  auto& row = found.lines;
  for (LineBlock block; reader.next(block);) {
    const auto refuse = [&](std::int64_t line, const std::string& why) {
      throw InputError(path + ":" + std::to_string(line) + ": " + why);
    };
    const std::string too_long = "an id has at most 1,024 bytes; the file must hold one id a line";
    if (block.oversized) refuse(block.line, too_long);
    RecordCutter lines(block, {.limit = options.line_limit});
    for (; lines.next(); ++row) {
      if (!lines.fault().empty()) refuse(lines.line_number(), lines.fault());
      if (row < first || row >= last) continue;
      const auto* const begin = std::find_if_not(lines.begin(), lines.end(), is_blank);
      const auto* end = lines.end();
      while (end > begin && is_blank(end[-1])) --end;
      const std::string_view id(begin, static_cast<std::size_t>(end - begin));
      if (id.size() > max_id_bytes) refuse(lines.line_number(), too_long);
      found.ids.push_back(id);
    }
  }
  return found;
}

// Throws where two rows are of one id. numbers: of this rank's rows, -1: unknown. Collective.
void refuse_repeats(const Communicator& comm, const IdTable& table, const std::vector<std::int64_t>& numbers,
                    const std::string& path) {
  std::vector<std::int64_t> known;
  std::ranges::copy_if(numbers, std::back_inserter(known), [](std::int64_t number) { return number >= 0; });
  const auto sent = bucket_by(std::span<const std::int64_t>(known), comm.size(),
                              [&](std::int64_t number) { return table.distribution.owner(number); });
  auto came = comm.exchange(std::span<const std::int64_t>(sent.data), std::span<const std::int64_t>(sent.begin)).data;
  comm.attempt([&] {
    std::ranges::sort(came);
    const auto twice = std::ranges::adjacent_find(came);
    if (twice == came.end()) return;
    throw InputError(path + ": names the id " + cohort::quoted(table[*twice - table.distribution.begin(comm.rank())]) +
                     " more than once; an id may have one row");
  });
}

// The ids of this rank's part of the rows of an array, from the file beside it. Collective.
IdTable ids_of_rows(const Communicator& comm, const FeatureSource& source, std::int64_t rows) {
  const auto& id_file = source.id_file;
  IdTable ids;
  need_same_file(comm, id_file);
  comm.attempt([&] {
    const auto [first, last] = FilePart{comm.rank(), comm.size()}.of(rows);
    auto found = read_row_ids(source, first, last);
    if (found.lines != rows) {
      throw InputError(id_file + ": has " + counted(found.lines, "id") + ", but " + source.path + " has " +
                       counted(rows, "row") + "; each row needs one id, each id one line");
    }
    ids = std::move(found.ids);
  });
  return ids;
}

// Rows of the file, whose ids of this rank's part stand in id_file, to numbers of the dictionary; what is unknown goes.
// Collective.
void number_rows(const Communicator& comm, const IdTable& table, const FeatureSource& source, const IdTable& ids,
                 const std::string& id_file, ArrayEntries& entries, FeatureStats& stats) {
  const FilePart part{comm.rank(), comm.size()};
  const auto numbers = find_ids(comm, table, ids);
  refuse_repeats(comm, table, numbers, id_file);
  const auto unknown = std::ranges::find(numbers, -1);
  const auto place = unknown - numbers.begin() + part.of(entries.rows).first;
  const auto first = comm.min(unknown == numbers.end() ? entries.rows : place);
  const auto even = Distribution::even(entries.rows, comm.size());
  stats.unknown = comm.sum(static_cast<std::int64_t>(std::ranges::count(numbers, -1)));
  stats.matched = entries.rows - stats.unknown;
  if (stats.unknown > 0) {
    const auto owner = even.owner(first);
    stats.first_unknown =
        comm.broadcast(comm.rank() == owner ? std::string(ids[first - even.begin(owner)]) : std::string(), owner);
  }
  if (stats.matched == 0) {
    throw InputError(id_file + ": none of its " + counted(stats.unknown, "id") + " is among the " +
                     counted(table.total(), source.of) + " of the graph; the first is " +
                     cohort::quoted(stats.first_unknown));
  }
  auto& pairs = entries.pairs;
  const auto distinct = distinct_of(pairs.row);
  const auto number = IndexPlan(comm, even, distinct.values).fetch(std::span<const std::int64_t>(numbers));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pairs.row.size(); ++i) {
    const auto row = number[distinct.place[i]];
    if (row < 0) continue;
    pairs.row[kept] = row;
    pairs.other[kept] = pairs.other[i];
    pairs.weight[kept] = pairs.weight[i];
    ++kept;
  }
  pairs.row.resize(kept);
  pairs.other.resize(kept);
  pairs.weight.resize(kept);
}

// Numbers of the dictionary's rows, at their owners. Collective.
FeatureTable array_table(const Communicator& comm, const IdTable& ids, const std::string& path, ArrayEntries entries) {
  const auto negative = comm.any(std::ranges::any_of(entries.pairs.weight, [](float value) { return value < 0; }));
  FeatureTable table;
  table.columns = entries.columns;
  table.dense = entries.dense;
  table.usual = negative ? FeatureScaling::length : FeatureScaling::sum;
  table.rows = make_pair_table(comm, ids.distribution, std::move(entries.pairs)).table;
  // Numbers that stand at one place may add up to more than each is.
  comm.attempt([&] {
    if (!std::ranges::all_of(table.rows.weight, [](float value) { return std::isfinite(value); })) {
      throw InputError(path + ": numbers at one place add up to more than a float32 holds");
    }
  });
  return table;
}

FeatureTable read_array_file(const Communicator& comm, const IdTable& ids, const FeatureSource& source,
                             ArrayFormat format, FeatureStats& stats) {
  const auto& path = source.path;
  ArrayEntries entries;
  const auto file = feature_file_of(path);
  comm.attempt([&] {
    const auto dataset = path.size() > file.size() ? path.substr(file.size() + 1) : std::string();
    entries = read_array(file, format, dataset, {comm.rank(), comm.size()});
  });
  stats.matched = entries.rows;
  if (!source.id_file.empty()) {
    number_rows(comm, ids, source, ids_of_rows(comm, source, entries.rows), source.id_file, entries, stats);
  } else if (entries.rows != ids.total()) {
    throw InputError(path + ": has " + counted(entries.rows, "row") + ", but the graph has " +
                     counted(ids.total(), source.of) + "; row r is that of the r-th of /" + source.of +
                     "s/id in graph.h5, or name " + "a file of the rows' ids in input." + source.of + "_feature_ids");
  }
  return array_table(comm, ids, path, std::move(entries));
}

// The same where ids stand beside the numbers. Collective.
FeatureTable read_parquet_file(const Communicator& comm, const IdTable& ids, const FeatureSource& source,
                               FeatureStats& stats) {
  ParquetFeatures found;
  comm.attempt([&] { found = read_parquet_features(source.path, {comm.rank(), comm.size()}); });
  number_rows(comm, ids, source, found.ids, source.path, found.entries, stats);
  auto table = array_table(comm, ids, source.path, std::move(found.entries));
  if (!found.lists) table.usual = FeatureScaling::columns;
  table.names = std::move(found.names);
  return table;
}

FeatureTable read_table_file(const Communicator& comm, const IdTable& ids, const FeatureSource& source,
                             FeatureStats& stats) {
  const auto& path = source.path;
  auto rows = read_attribute_rows(comm, ids, path, source.encoding);
  stats.matched = rows.matched;
  stats.unknown = rows.unknown;
  FeatureTable table;
  table.columns = std::ssize(rows.names);
  table.dense = true;
  table.usual = FeatureScaling::columns;
  if (table.columns == 0) throw InputError(path + ": has a column of ids alone; features are numbers beside it");
  comm.attempt([&] {
    auto& pairs = table.rows;
    std::size_t next = 0;
    for (std::int64_t row = 0; row < ids.block_size(); ++row) {
      if (next < rows.row.size() && rows.row[next] == row) {
        for (std::size_t c = 0; c < rows.names.size(); ++c) {
          const auto cell = rows.cell(next, c);
          const auto number = number_of(cell);
          const auto value = static_cast<float>(number.value_or(0));
          if (!number || !std::isfinite(value)) {
            throw InputError(path + ": column " + cohort::quoted(rows.names[c]) + " of the id " +
                             cohort::quoted(ids[row]) + " is " +
                             (cell.empty() ? std::string("empty") : cohort::quoted(cell)) +
                             ", where features have a number; fill it in, or leave the column out");
          }
          if (value == 0 && c > 0) continue;
          pairs.other.push_back(static_cast<std::int64_t>(c));
          pairs.weight.push_back(value);
        }
        ++next;
      }
      pairs.row_begin.push_back(pairs.size());
    }
  });
  table.names = std::move(rows.names);
  return table;
}

// Of the file of such a path, which all ranks see. Collective.
ArrayFormat find_format(const Communicator& comm, const std::string& path) {
  const auto file = feature_file_of(path);
  need_same_file(comm, file);
  auto format = ArrayFormat::none;
  comm.attempt([&] {
    format = array_format_of(file);
    if (format != ArrayFormat::hdf5 && file != path) {
      throw InputError(path + ": " + file + " is no HDF5 file, which alone has datasets to choose from");
    }
  });
  return format;
}

}  // namespace

std::string feature_file_of(const std::string& path) {
  std::error_code ignored;
  const auto colon = path.rfind(':');
  if (colon == std::string::npos || std::filesystem::exists(path, ignored)) return path;
  const auto file = path.substr(0, colon);
  return std::filesystem::exists(file, ignored) ? file : path;
}

IdTable read_feature_ids(const Communicator& comm, const IdTable& known, const FeatureSource& source) {
  const auto format = find_format(comm, source.path);
  if (format == ArrayFormat::none) return read_attribute_ids(comm, known, source.path, source.encoding);
  if (format == ArrayFormat::parquet) {
    IdTable ids;
    comm.attempt([&] { ids = read_parquet_features(source.path, {comm.rank(), comm.size()}).ids; });
    return ids;
  }
  if (source.id_file.empty()) {
    throw InputError(source.path + ": is an array, whose rows have no ids; name a file of them, one id a line");
  }
  IdTable ids;
  need_same_file(comm, source.id_file);
  comm.attempt([&] {
    if (comm.is_root()) ids = read_row_ids(source, 0, std::numeric_limits<std::int64_t>::max()).ids;
  });
  return ids;
}

FeatureTable read_feature_file(const Communicator& comm, const IdTable& ids, const FeatureSource& source,
                               FeatureStats& stats) {
  const auto& path = source.path;
  stats.path = path;
  stats.of = source.of;
  const auto format = find_format(comm, path);
  auto table = format == ArrayFormat::none      ? read_table_file(comm, ids, source, stats)
               : format == ArrayFormat::parquet ? read_parquet_file(comm, ids, source, stats)
                                                : read_array_file(comm, ids, source, format, stats);
  stats.columns = table.columns;
  stats.values = comm.sum(
      static_cast<std::int64_t>(std::ranges::count_if(table.rows.weight, [](float value) { return value != 0; })));
  return table;
}

}  // namespace cohort
