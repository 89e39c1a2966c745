#include "ingest/records/attribute_rows.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/files/input_files.hpp"
#include "ingest/files/line_blocks.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/json_lines.hpp"
#include "ingest/records/number_text.hpp"
#include "ingest/records/quoted_record.hpp"
#include "ingest/records/record_cutter.hpp"

namespace cohort {

namespace {

// Where a line stands in the file.
struct Place {
  std::int64_t offset = 0;
  std::int64_t line = 0;  // 0: not known, the offset says it
};

// A line on its way to the owner of its id; its cells travel beside it.
struct Routed {
  std::int64_t number;
  Place place;
  std::int64_t bytes;
};

std::string in_words(const OpenedFile& file, const Place& place) {
  return file.path + ":" + std::to_string(line_number(file, place.offset, place.line));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Lines as this rank reads them, and what is wrong with the first that is malformed.
class LineReader {
 public:
  explicit LineReader(const OpenedTable& table) : table_(table), layout_(table.file.layout) {
    if (layout_.format == TextFormat::json) json_.emplace(table.names);
    for (const auto& type : table.types) number_column_.push_back(type == "float" ? 1 : 0);
    number_column_.resize(table.names.size(), 0);
  }

  void read(const LineBlock& block) {
    if (block.oversized) {
      refuse({block.offset, block.line}, "the line is longer than 1 MiB");
      return;
    }
    RecordCutter cutter(block, {.quotes = layout_.format == TextFormat::csv,
                                .tabs = layout_.format == TextFormat::tsv,
                                .limit = line_limit(layout_),
                                .separator = layout_.separator,
                                .comment = layout_.comment,
                                .ruled = layout_.ruled,
                                .json = json_ ? &*json_ : nullptr});
    while (reason.empty() && cutter.next()) {
      const Place at{cutter.offset(), cutter.line_number()};
      if (cutter.fault().empty()) {
        take(cutter.begin(), cutter.end(), at);
      } else {
        refuse(at, cutter.fault());
      }
    }
  }

  IdTable ids;
  std::vector<Place> place;               // of every line
  std::string text;                       // the cells of the lines, each ended by a NUL
  std::vector<std::int64_t> text_end{0};  // lines + 1
  Place bad;
  std::string reason;  // empty: every line is good

 private:
  void refuse(Place at, std::string why) {
    if (!reason.empty()) return;
    bad = at;
    reason = std::move(why);
  }

  // The next field of a line; moves p to the separator behind it.
  std::string_view field(char*& p, char* end) const {
    if (layout_.format == TextFormat::csv || json_) {
      const auto taken = take_quoted_field(p, end, json_ ? ',' : layout_.separator);
      return {taken.begin, static_cast<std::size_t>(taken.end - taken.begin)};
    }
    auto* const begin = p;
    const std::string_view separator = layout_.format == TextFormat::ml ? "::" : "\t";
    p = std::search(p, end, separator.begin(), separator.end());
    return trimmed({begin, static_cast<std::size_t>(p - begin)});
  }

  void take(char* p, char* end, Place at) {
    const auto columns = table_.names.size();
    std::size_t found = 0;
    for (;; p += layout_.format == TextFormat::ml ? 2 : 1) {
      const auto cell = field(p, end);
      if (found == 0) {
        if (trimmed(cell).empty()) return refuse(at, "the id is empty");
        if (cell.size() > max_id_bytes) return refuse(at, "the id is longer than 1,024 bytes");
        ids.push_back(cell);
      } else if (found < columns) {
        if (number_column_[found] && !cell.empty() && !number_of(cell)) {
          return refuse(
              at, "column " + quoted(table_.names[found]) + " is of type float, but " + quoted(cell) + " is no number");
        }
        text.append(cell).push_back('\0');
      }
      ++found;
      if (p == end) break;
    }
    if (found != columns) {
      return refuse(at, "the line has " + counted(static_cast<std::int64_t>(found), "column") + ", the header has " +
                            std::to_string(columns));
    }
    place.push_back(at);
    text_end.push_back(std::ssize(text));
  }

  const OpenedTable& table_;
  FileLayout layout_;
  std::optional<JsonLines> json_;
  std::vector<char> number_column_;
};

// Throws the first malformed line's error, on all ranks. Collective.
void refuse_bad_line(const Communicator& comm, const OpenedFile& file, const LineReader& lines) {
  const auto mine = lines.reason.empty() ? INT64_MAX : lines.bad.offset;
  const auto first = comm.min(mine);
  comm.attempt([&] {
    if (mine == first && !lines.reason.empty()) throw InputError(in_words(file, lines.bad) + ": " + lines.reason);
  });
}

// The header was taken for one because it is the first line; without one the first line would be lost in silence.
void refuse_missing_header(const Communicator& comm, const IdTable& ids, const OpenedTable& table) {
  const auto& name = table.names.front();
  IdTable probe;
  if (comm.is_root() && !name.empty() && name.size() <= max_id_bytes) probe.push_back(name);
  const auto found = find_ids(comm, ids, probe);
  comm.attempt([&] {
    if (comm.is_root() && !table.file.notes.header.empty() && (number_of(name) || (!found.empty() && found[0] >= 0))) {
      throw InputError(table.file.path + ":1: the first line must name the columns, but starts with " + quoted(name) +
                       ", which looks like an id; put a header before it");
    }
  });
}

// An id of the file and one of the table, for a message. Collective.
[[noreturn]] void refuse_no_overlap(const Communicator& comm, const IdTable& ids, const OpenedFile& file,
                                    const LineReader& lines) {
  const auto mine = lines.place.empty() ? INT64_MAX : lines.place.front().offset;
  const auto offsets = comm.all_gather(mine);
  const auto first = static_cast<int>(std::ranges::min_element(offsets) - offsets.begin());
  const auto of_file = comm.broadcast(lines.place.empty() ? std::string() : std::string(lines.ids[0]), first);
  const auto owner = ids.total() > 0 ? ids.distribution.owner(0) : 0;
  const auto of_table = comm.broadcast(ids.block_size() > 0 ? std::string(ids[0]) : std::string(), owner);
  throw InputError(file.path + ": none of its ids is among the " + std::to_string(ids.total()) +
                   " of the graph; its first column holds ids such as " + quoted(of_file) +
                   ", the graph's are such as " + quoted(of_table));
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  text = trimmed(text);
  const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return std::nullopt;
  const auto number = read_number(text);
  return number.fault ? std::nullopt : std::optional(number.value);
}

IdTable read_attribute_ids(const Communicator& comm, const IdTable& known, const std::string& path,
                           const std::string& encoding) {
  const auto table = open_table(comm, path, encoding);
  refuse_missing_header(comm, known, table);
  LineReader lines(table);
  read_blocks(comm, {table.file}, [&](std::size_t, const LineBlock& block) { lines.read(block); });
  refuse_bad_line(comm, table.file, lines);
  return std::move(lines.ids);
}

AttributeRows read_attribute_rows(const Communicator& comm, const IdTable& ids, const std::string& path,
                                  const std::string& encoding) {
  const auto table = open_table(comm, path, encoding);
  refuse_missing_header(comm, ids, table);
  LineReader lines(table);
  read_blocks(comm, {table.file}, [&](std::size_t, const LineBlock& block) { lines.read(block); });
  refuse_bad_line(comm, table.file, lines);

  AttributeRows result;
  result.names.assign(table.names.begin() + 1, table.names.end());
  if (!table.types.empty()) result.types.assign(table.types.begin() + 1, table.types.end());
  const auto number = find_ids(comm, ids, lines.ids);
  const auto unknown = std::ranges::count(number, -1);
  result.unknown = comm.sum(static_cast<std::int64_t>(unknown));
  result.matched = comm.sum(static_cast<std::int64_t>(std::ssize(number) - unknown));
  if (result.matched == 0) refuse_no_overlap(comm, ids, table.file, lines);

  Gathered<Routed> routed;
  Gathered<char> text;
  {
    Bucketed<Routed> bucketed;
    std::string outgoing;
    std::vector<std::int64_t> text_begin(1, 0);
    comm.attempt([&] {
      std::vector<Routed> known;
      std::vector<std::size_t> line_of;
      for (std::size_t i = 0; i < number.size(); ++i) {
        if (number[i] < 0) continue;
        known.push_back({number[i], lines.place[i], lines.text_end[i + 1] - lines.text_end[i]});
        line_of.push_back(i);
      }
      bucketed = bucket_by(std::span<const Routed>(known), comm.size(),
                           [&](const Routed& line) { return ids.distribution.owner(line.number); });
      for (int r = 0; r < comm.size(); ++r) {
        for (const auto i : places_of(bucketed.begin, r)) {
          const auto line = line_of[bucketed.source[i]];
          outgoing.append(lines.text, static_cast<std::size_t>(lines.text_end[line]),
                          static_cast<std::size_t>(lines.text_end[line + 1] - lines.text_end[line]));
        }
        text_begin.push_back(std::ssize(outgoing));
      }
      lines.ids = {};
      lines.text = {};
    });
    routed = comm.exchange(std::span<const Routed>(bucketed.data), std::span(std::as_const(bucketed.begin)));
    text = comm.exchange(std::span<const char>(outgoing), std::span(std::as_const(text_begin)));
  }
  comm.attempt([&] {
    const auto& got = routed.data;
    std::vector<std::int64_t> begin(got.size() + 1, 0);
    for (std::size_t i = 0; i < got.size(); ++i) begin[i + 1] = begin[i] + got[i].bytes;
    std::vector<std::size_t> order(got.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::tuple(got[i].number, got[i].place.offset); });
    const auto first = ids.distribution.begin(comm.rank());
    result.text.reserve(text.data.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
      const auto& line = got[order[k]];
      if (k > 0 && got[order[k - 1]].number == line.number) {
        throw InputError(in_words(table.file, line.place) + ": the id " + quoted(ids[line.number - first]) +
                         " already has the line " + in_words(table.file, got[order[k - 1]].place) +
                         "; an id may have one");
      }
      result.row.push_back(line.number - first);
      for (auto at = begin[order[k]]; at < begin[order[k] + 1]; ++at) {
        const auto byte = text.data[at];
        if (byte != '\0') {
          result.text.push_back(byte);
        } else {
          result.begin.push_back(std::ssize(result.text));
        }
      }
    }
  });
  return result;
}

}  // namespace cohort
