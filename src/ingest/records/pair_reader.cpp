#include "ingest/records/pair_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "core/error.hpp"
#include "core/words.hpp"
#include "ingest/files/input_files.hpp"
#include "ingest/files/line_blocks.hpp"
#include "ingest/files/path_lists.hpp"
#include "ingest/records/missing_ids.hpp"
#include "ingest/records/reading_checks.hpp"

namespace cohort {

namespace {

// The first bad lines over all ranks, in the order of files and lines, with their numbers. Collective.
std::vector<std::string> report_bad_lines(const Communicator& comm, const std::vector<OpenedFile>& opened,
                                          const std::vector<BadLine>& mine) {
  struct Place {
    std::int64_t file, offset, rank, index;
  };
  std::vector<Place> places;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    places.push_back({mine[i].file, mine[i].offset, comm.rank(), static_cast<std::int64_t>(i)});
  }
  auto all = comm.all_gather(std::span<const Place>(places)).data;
  std::ranges::sort(all, {}, [](const Place& place) { return std::tuple(place.file, place.offset); });
  all.resize(std::min(all.size(), bad_lines_reported));
  std::vector<std::string> texts(all.size());
  comm.attempt([&] {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].rank != comm.rank()) continue;
      const auto& bad = mine[all[i].index];
      const auto& path = opened[bad.file].path;
      const auto line = line_number(opened[bad.file], bad.offset, bad.line);
      texts[i] = path + ":" + std::to_string(line) + ": " + bad.reason;
    }
  });
  for (std::size_t i = 0; i < all.size(); ++i) texts[i] = comm.broadcast(texts[i], static_cast<int>(all[i].rank));
  return texts;
}

void refuse_bad_lines(const ReadStats& stats, const PairFiles& files) {
  const auto tolerated =
      files.max_bad_lines < 1 ? files.max_bad_lines * static_cast<double>(stats.lines) : files.max_bad_lines;
  if (static_cast<double>(stats.bad_lines) <= tolerated) return;
  std::string message;
  for (const auto& report : stats.bad_line_reports) message.append(report).append("\n");
  if (stats.bad_lines > std::ssize(stats.bad_line_reports)) {
    message.append("and ")
        .append(std::to_string(stats.bad_lines - std::ssize(stats.bad_line_reports)))
        .append(" more\n");
  }
  message += with_commas(stats.bad_lines) + " of " + counted(stats.lines, "line") +
             noun(stats.bad_lines, " is", " are") + " malformed; mend " + noun(stats.bad_lines, "it", "them");
  if (files.layout.settable) {
    message += ", or set clean.max_bad_lines (now " + fmt::format("{:g}", files.max_bad_lines) +
               ") to leave out as many, or as large a share where it is below 1";
    if (files.layout.role == FileRole::interactions) {
      message += "; clean.incomplete = \"drop\" leaves out records without a user, item or weight";
    }
  }
  throw InputError(message);
}

// What the settings ask of the files. Local; the layouts are the same on all ranks.
void check_layouts(const std::vector<OpenedFile>& opened, const PairFiles& files) {
  for (const auto& file : opened) {
    const auto lacks = [&](const std::string& what, const std::string& role, const std::string& needed_by) {
      return InputError(file.path + ": no column of the file is known to hold " + what + ", which " + needed_by +
                        " needs; " +
                        (files.layout.settable ? "name it in input.columns." + role
                                               : "name it \"" + role + "\" in the file's header") +
                        (file.layout.format == TextFormat::lightgcn ? " (adjacency lists cannot have one)" : ""));
    };
    if (!files.rule.events.empty() && file.layout.event < 0) throw lacks("events", "event", "graph.event_weights");
    if (files.rule.part && file.layout.split < 0) throw lacks("which records are held out", "split", "the hold-out");
    if (!files.times_needed_by.empty() && file.layout.time < 0) throw lacks("times", "time", files.times_needed_by);
  }
}

}  // namespace

const std::string* split_column(const InputConfig& input) {
  const auto found = std::ranges::find(input.columns, "split", &std::pair<std::string, std::string>::first);
  return found == input.columns.end() ? nullptr : &found->second;
}

LayoutRequest interactions_layout(const InputConfig& input) {
  auto request = split_layout(input);
  std::erase_if(request.columns, [](const auto& column) { return column.first == "split"; });
  return request;
}

LayoutRequest split_layout(const InputConfig& input) {
  LayoutRequest request{FileRole::interactions, input.format, input.columns, input.header};
  request.separator = input.separator;
  request.encoding = input.encoding;
  request.time_unit = input.time_unit;
  request.date_order = input.date_order;
  return request;
}

LayoutRequest social_layout(const InputConfig& input) {
  auto request = interactions_layout(input);
  request.role = FileRole::social;
  request.format = InputFormat::automatic;
  return request;
}

namespace {

// Such lines further down are none of data; JSON and Parquet have none.
std::string repeated_header(const OpenedFile& file) {
  const bool text = file.layout.format != TextFormat::json && !file.storage.parquet;
  return text ? file.notes.header : "";
}

}  // namespace

WeightRule weight_rule(const CleanConfig& clean, const GraphConfig& graph) {
  return {graph.min_weight, graph.weight != EdgeWeighting::binary, graph.event_weights,
          clean.incomplete == Incomplete::drop, false};
}

namespace {

// What this rank reads of all files, and what the dates of each show of their order, over all ranks.
struct Reading {
  LocalPairs pairs;
  ParseTally tally;
  std::vector<DateTally> dates;
};

// Collective.
Reading read_records(const Communicator& comm, const std::vector<OpenedFile>& opened, const PairFiles& files,
                     IdInterner& first, IdInterner& second) {
  Reading reading;
  reading.pairs.has_time =
      !opened.empty() && std::ranges::all_of(opened, [](const OpenedFile& file) { return file.layout.time >= 0; });
  auto rule = files.rule;
  rule.times_needed = !files.times_needed_by.empty();
  std::vector<RecordParser> parsers;
  for (std::size_t f = 0; f < opened.size(); ++f) {
    parsers.emplace_back(static_cast<std::int64_t>(f), opened[f].layout, repeated_header(opened[f]), rule, first,
                         second, reading.pairs, reading.tally, opened[f].notes.names);
  }
  read_blocks(
      comm, opened, [&](std::size_t f, const LineBlock& block) { parsers[f].parse(block); },
      [&](std::size_t f, const ColumnBlock& block) { parsers[f].parse(block); });
  std::vector<std::int64_t> counts;
  for (const auto& parser : parsers) {
    const auto& dates = parser.dates();
    counts.insert(counts.end(), {dates.month_first, dates.day_first, dates.either});
  }
  comm.sum_in_place(std::span<std::int64_t>(counts));
  for (std::size_t f = 0; f < opened.size(); ++f) {
    reading.dates.push_back({counts[3 * f], counts[3 * f + 1], counts[3 * f + 2]});
  }
  return reading;
}

// The order that a list's dates such as 11/1/2000 have: in one of them the day is above 12. Why none is known, in
// `fault`; empty: there are no such dates, or it is known.
struct ListOrder {
  DateOrder order = DateOrder::automatic;
  std::string fault;
};

ListOrder order_of(const std::vector<OpenedFile>& opened, const std::vector<DateTally>& dates,
                   const LayoutRequest& request) {
  ListOrder result;
  const auto shows = [&](std::int64_t DateTally::*count) {
    return std::ranges::find_if(dates, [&](const DateTally& of) { return of.*count > 0; });
  };
  const auto months = shows(&DateTally::month_first);
  const auto days = shows(&DateTally::day_first);
  const auto either = shows(&DateTally::either);
  const auto path = [&](auto found) { return opened[found - dates.begin()].path; };
  const std::string remedy = std::string("; write them as 2014-04-07") +
                             (request.settable ? ", or set input.date_order to \"mdy\" or \"dmy\"" : "");
  if (months != dates.end() && days != dates.end()) {
    result.fault =
        path(months) + ": there are dates with the month first, and in " + path(days) + " with the day first" + remedy;
  } else if (months != dates.end() || days != dates.end()) {
    result.order = days != dates.end() ? DateOrder::day_first : DateOrder::month_first;
  } else if (either != dates.end()) {
    result.fault = path(either) + ": every date can begin with the month or with the day, as 11/1/2000 can" + remedy;
  }
  return result;
}

// The records, with dates in the order that all of them show: where the first lines did not show it, the files are
// read again. What keeps times from being known is in `fault`. Collective.
Reading read_in_order(const Communicator& comm, std::vector<OpenedFile>& opened, const PairFiles& files,
                      IdInterner& first, IdInterner& second, std::string& fault) {
  auto reading = read_records(comm, opened, files, first, second);
  if (files.layout.date_order != DateOrder::automatic) return reading;
  const auto found = order_of(opened, reading.dates, files.layout);
  fault = found.fault;
  bool again = false;
  for (std::size_t f = 0; f < opened.size(); ++f) {
    auto& order = opened[f].layout.date_order;
    const bool days_first = order == DateOrder::day_first;
    again = again || (found.order != DateOrder::automatic && reading.dates[f].either > 0 &&
                      days_first != (found.order == DateOrder::day_first));
    if (found.order != DateOrder::automatic) order = found.order;
  }
  if (!again) return reading;
  reading = {};
  return read_records(comm, opened, files, first, second);
}

}  // namespace

PairsRead read_pairs(const Communicator& comm, const PairFiles& files, IdInterner& first, IdInterner& second) {
  auto opened = open_files(comm, files.paths, files.layout);
  check_layouts(opened, files);
  std::string date_fault;
  auto [pairs, tally, dates] = read_in_order(comm, opened, files, first, second, date_fault);
  PairsRead result;
  result.pairs = std::move(pairs);
  std::int64_t counts[] = {
      tally.lines,       tally.records,          tally.bad_lines, tally.dropped_events, tally.below_min_weight,
      tally.zero_weight, tally.repeated_headers, tally.comments,  tally.incomplete,     tally.unread_times,
      tally.validation,  tally.other_parts};
  comm.sum_in_place(std::span<std::int64_t>(counts));
  result.stats.lines = counts[0];
  result.stats.records = counts[1];
  result.stats.bad_lines = counts[2];
  result.stats.dropped_events = counts[3];
  result.stats.below_min_weight = counts[4];
  result.stats.zero_weight = counts[5];
  result.stats.repeated_headers = counts[6];
  result.stats.incomplete = counts[8];
  result.stats.validation = counts[10];
  result.stats.other_parts = counts[11];
  if (!date_fault.empty() && !files.times_needed_by.empty()) {
    throw InputError(date_fault + " (" + files.times_needed_by + " needs times)");
  }
  if (counts[9] > 0 || !date_fault.empty()) {
    result.pairs.has_time = false;
    result.pairs.time = {};
  }
  if (result.stats.bad_lines > 0) {
    result.stats.bad_line_reports = report_bad_lines(comm, opened, tally.first_bad_lines);
  }
  result.stats.grouped_by_second =
      std::ranges::any_of(opened, [](const OpenedFile& file) { return file.notes.grouped_by_second; });
  result.stats.warnings = warn_of_headers(comm, opened, files.layout, result.pairs, first, second);
  if (result.stats.repeated_headers > 0) {
    result.stats.warnings.push_back(counted(result.stats.repeated_headers, "line repeats", "lines repeat") +
                                    " the header of its file; left out");
  }
  const auto warn = [&](std::int64_t count, const std::string& text) {
    if (count > 0) result.stats.warnings.push_back(text);
  };
  warn(counts[7], counted(counts[7], "line") + " that" + noun(counts[7], " begins", " begin") +
                      " as the comments before the data " + noun(counts[7], "is", "are") + " left out");
  if (!date_fault.empty()) {
    result.stats.warnings.push_back(date_fault + ". Times are left out; nothing here needs them");
  }
  warn(counts[9], counted(counts[9], "time") + " cannot be read, so times are left out; nothing here needs them");
  std::ranges::move(warn_of_folders(opened), std::back_inserter(result.stats.warnings));
  std::ranges::move(warn_of_copies(files.paths), std::back_inserter(result.stats.warnings));
  std::ranges::move(warn_of_missing_words(comm, files.layout.role, result.pairs, first, second),
                    std::back_inserter(result.stats.warnings));
  refuse_bad_lines(result.stats, files);
  return result;
}

}  // namespace cohort
