#include "ingest/records/id_list.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/stored_file.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/record_cutter.hpp"

namespace cohort {

namespace {

// The different ids of the file, in their order.
IdTable read_lines(const std::string& path) {
  const auto source = open_text(path, storage_of(path, "auto", false));
  BlockReader::Options options;
  options.first_line = 1;
  BlockReader reader(*source, 0, options);
  IdInterner ids;
  for (LineBlock block; reader.next(block);) {
    const auto refuse = [&](std::int64_t line, const std::string& why) {
      throw InputError(path + ":" + std::to_string(line) + ": " + why);
    };
    const auto too_long =
        "an id has at most " + std::to_string(max_id_bytes) + " bytes; the file must hold one id a line";
    if (block.oversized) refuse(block.line, too_long);
    RecordCutter lines(block, {.limit = options.line_limit});
    while (lines.next()) {
      if (!lines.fault().empty()) refuse(lines.line_number(), lines.fault());
      const auto* const begin = std::find_if_not(lines.begin(), lines.end(), is_blank);
      const auto* end = lines.end();
      while (end > begin && is_blank(end[-1])) --end;
      const std::string_view id(begin, static_cast<std::size_t>(end - begin));
      if (id.size() > max_id_bytes) refuse(lines.line_number(), too_long);
      ids.intern(make_token(id));
    }
  }
  return ids.take_ids();
}

}  // namespace

IdList read_id_list(const Communicator& comm, const IdTable& table, const std::string& path, const std::string& what) {
  IdTable ids;
  comm.attempt([&] {
    if (comm.is_root()) ids = read_lines(path);
  });
  const auto numbers = find_ids(comm, table, ids);
  IdList result;
  const auto unknown = std::ranges::find(numbers, -1);
  if (unknown != numbers.end()) result.first_unknown = std::string(ids[unknown - numbers.begin()]);
  result.first_unknown = comm.broadcast(result.first_unknown);
  result.unknown = comm.sum(static_cast<std::int64_t>(std::ranges::count(numbers, -1)));
  result.known = comm.sum(std::ssize(numbers)) - result.unknown;
  if (result.known == 0) {
    throw InputError(path + ": none of its " + counted(result.unknown, "id") + " is among the " +
                     with_commas(table.total()) + " " + what +
                     (result.first_unknown.empty() ? "" : "; the first is " + quoted(result.first_unknown)));
  }
  std::vector<std::int64_t> known;
  std::ranges::copy_if(numbers, std::back_inserter(known), [](std::int64_t number) { return number >= 0; });
  const auto sent = bucket_by(std::span<const std::int64_t>(known), comm.size(),
                              [&](std::int64_t number) { return table.distribution.owner(number); });
  result.listed.assign(static_cast<std::size_t>(table.block_size()), 0);
  for (const auto number :
       comm.exchange(std::span<const std::int64_t>(sent.data), std::span<const std::int64_t>(sent.begin)).data) {
    result.listed[static_cast<std::size_t>(number - table.distribution.begin(comm.rank()))] = 1;
  }
  return result;
}

}  // namespace cohort
