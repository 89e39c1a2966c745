#include "ingest/records/label_file.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/ragged.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "data/pair_table.hpp"
#include "ingest/files/sha256.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/records/pair_reader.hpp"

namespace cohort {

namespace {

constexpr std::int64_t most_labels = 1'000'000;

}  // namespace

LayoutRequest labels_layout() {
  LayoutRequest request;
  request.role = FileRole::labels;
  request.settable = false;
  return request;
}

Labels read_labels(const Communicator& comm, const IdTable& users, const std::string& path) {
  Labels result;
  result.file = describe_files(comm, {path}).front();
  IdInterner user_ids;
  IdInterner label_ids;
  PairFiles files;
  files.paths = {path};
  files.layout = labels_layout();
  auto read = read_pairs(comm, files, user_ids, label_ids);
  result.warnings = std::move(read.stats.warnings);

  const auto file_users = user_ids.take_ids();
  const auto user_number = find_ids(comm, users, file_users);
  const auto different_users = build_dictionary(comm, file_users).table;
  const auto found = find_ids(comm, users, different_users);
  result.unknown_users = comm.sum(static_cast<std::int64_t>(std::ranges::count(found, -1)));
  const auto labels = build_dictionary(comm, label_ids.take_ids());
  if (labels.table.total() > most_labels) {
    throw InputError(result.file.path + ": has " + std::to_string(labels.table.total()) +
                     " different labels; the second column must be a class, not a value");
  }
  result.names = all_ids(comm, labels.table);

  RawPairs raw;
  for (std::size_t i = 0; i < read.pairs.first.size(); ++i) {
    const auto user = user_number[read.pairs.first[i]];
    if (user < 0) continue;
    raw.row.push_back(user);
    raw.other.push_back(labels.number[read.pairs.second[i]]);
    raw.weight.push_back(1.0F);
  }
  const auto table = make_pair_table(comm, users.distribution, std::move(raw)).table;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < table.rows(); ++u) {
      const auto begin = static_cast<std::size_t>(table.row_begin[u]);
      const auto count = places_of(table.row_begin, static_cast<std::size_t>(u)).size();
      if (count > 1) {
        throw InputError(path + ": user " + quoted(users[u]) + " has the labels " +
                         quoted(result.names[table.other[begin]]) + " and " +
                         quoted(result.names[table.other[begin + 1]]) + "; a user may have one");
      }
      result.label.push_back(count == 0 ? -1 : static_cast<std::int32_t>(table.other[begin]));
    }
  });
  result.labelled = comm.sum(table.size());
  if (result.labelled == 0) {
    throw InputError(result.file.path + ": none of its users is among the " + counted(users.total(), "user") +
                     " of the result; its first column must hold the same ids");
  }
  return result;
}

}  // namespace cohort
