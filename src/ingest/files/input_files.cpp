#include "ingest/files/input_files.hpp"

#include <algorithm>
#include <utility>

#include "comm/same_files.hpp"
#include "comm/share.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "ingest/files/byte_source.hpp"
#include "ingest/files/parquet_file.hpp"
#include "ingest/records/dialect_choice.hpp"

namespace cohort {

template <class Archive>
void serialize(Archive& archive, LayoutNotes& notes, unsigned /*version*/) {
  archive& notes.header& notes.header_of& notes.names& notes.sample& notes.warnings& notes.grouped_by_second;
}

template <class Archive>
void serialize(Archive& archive, Dialect& dialect, unsigned /*version*/) {
  archive& dialect.separator& dialect.quotes& dialect.escapes& dialect.letters& dialect.row_names& dialect
      .ended& dialect.comment;
}

namespace {

// Enough for 200 lines of any sensible file, and for the first line of an adjacency list with 100,000 items.
constexpr std::size_t head_bytes = std::size_t{1} << 20;

// What rank 0 says about a file.
struct Description {
  FileSight sight;
  Packing packing;
  bool parquet;
  bool array;
  bool old_mac;
  FileLayout layout;
};

// Whether the lines end in '\r'; then the head has '\n' in its place afterwards.
bool mend_line_ends(std::string& head) {
  if (head.find('\n') != std::string::npos || head.find('\r') == std::string::npos) return false;
  std::ranges::replace(head, '\r', '\n');
  return true;
}

// With whole lines; old_mac: whether they end in '\r' in the file. Sets the index of a Parquet file, and the dialect of
// a text.
std::string read_head(const std::string& path, Storage& storage, const LayoutRequest& request, bool& old_mac) {
  std::string head;
  if (storage.parquet) {
    auto of_parquet = parquet_head(path);
    head = std::move(of_parquet.text);
    storage.index = std::move(of_parquet.index);
  } else {
    head = first_bytes(*open_text(path, storage), head_bytes);
  }
  old_mac = mend_line_ends(head);
  // All of the file: its last line may lack its end.
  if (!head.empty() && head.size() < head_bytes && !head.ends_with('\n')) head += '\n';
  if (storage.parquet || storage.array || old_mac) return head;
  storage.dialect = tell_dialect(head, request);
  if (!storage.dialect.as_usual()) head = first_bytes(*open_text(path, storage), head_bytes);
  return head;
}

// Opens files and looks at them on rank 0: describe(heads) gives the layouts, where heads(f) are the first bytes of
// file f. Collective.
template <class Describe>
std::vector<OpenedFile> open_all(const Communicator& comm, const std::vector<std::string>& paths,
                                 const LayoutRequest& request, Describe describe) {
  std::vector<Description> described(paths.size());
  std::vector<OpenedFile> files(paths.size());
  std::vector<FileSight> sight(paths.size());
  std::vector<LayoutNotes> notes(paths.size());
  std::vector<std::string> encodings(paths.size());
  std::vector<Dialect> dialects(paths.size());
  comm.attempt([&] {
    for (std::size_t f = 0; f < paths.size(); ++f) {
      files[f].path = paths[f];
      try {
        files[f].size = PlainFile(paths[f]).size();
        sight[f] = look_at(paths[f]);
      } catch (const InputError& error) {
        throw InputError(error.what() + on_rank(comm));
      }
    }
    if (!comm.is_root()) return;
    const auto layouts = describe([&](std::size_t f) {
      auto& storage = files[f].storage;
      storage = storage_of(paths[f], request.encoding, true);
      described[f].packing = storage.packing;
      described[f].parquet = storage.parquet;
      described[f].array = storage.array;
      return read_head(paths[f], storage, request, described[f].old_mac);
    });
    for (std::size_t f = 0; f < paths.size(); ++f) {
      described[f].sight = sight[f];
      described[f].layout = layouts[f].layout;
      notes[f] = layouts[f].notes;
      encodings[f] = files[f].storage.encoding;
      dialects[f] = files[f].storage.dialect;
    }
  });
  comm.broadcast(std::span<Description>(described));
  share(comm, notes);
  share(comm, encodings);
  share(comm, dialects);
  comm.attempt([&] {
    for (std::size_t f = 0; f < paths.size(); ++f) need_same(comm, paths[f], sight[f], described[f].sight);
  });
  for (std::size_t f = 0; f < paths.size(); ++f) {
    files[f].storage.packing = described[f].packing;
    files[f].storage.parquet = described[f].parquet;
    files[f].storage.array = described[f].array;
    files[f].old_mac = described[f].old_mac;
    files[f].layout = described[f].layout;
    files[f].notes = std::move(notes[f]);
    files[f].storage.encoding = std::move(encodings[f]);
    files[f].layout.unescaped = dialects[f].escapes;
    files[f].storage.dialect = std::move(dialects[f]);
  }
  return files;
}

// Rows have their ids first, but pandas writes an index behind the columns: what is first then may look like ids, and
// be none. An index without a name counts rows mostly.
void need_ids_first(const std::string& path, const std::string& index, const std::vector<std::string>& names) {
  const bool counts_rows = index.empty() || index.starts_with("__index_level_");
  if (counts_rows || names.empty() || names.front() == index) return;
  throw InputError(
      path + ": is a table whose index in pandas is the column " + quoted(index) +
      ", but ids are read from the first column, which is " + quoted(names.front()) +
      "; if the index holds the ids, write the file with reset_index(), else with to_parquet(index=False)");
}

}  // namespace

std::string head_of(const std::string& path, const LayoutRequest& request) {
  bool old_mac = false;
  auto storage = storage_of(path, request.encoding, true);
  return read_head(path, storage, request, old_mac);
}

BlockReader::Options reading_options(const OpenedFile& file) {
  BlockReader::Options options;
  options.line_limit = line_limit(file.layout);
  options.quotes = file.layout.format == TextFormat::csv;
  options.separator = file.layout.separator;
  options.old_mac = file.old_mac;
  return options;
}

std::vector<OpenedFile> open_files(const Communicator& comm, const std::vector<std::string>& paths,
                                   const LayoutRequest& request) {
  return open_all(comm, paths, request, [&](const auto& head) { return detect_layouts(paths, request, head); });
}

OpenedTable open_table(const Communicator& comm, const std::string& path, const std::string& encoding) {
  OpenedTable table;
  LayoutRequest request;
  request.encoding = encoding;
  table.file = open_all(comm, {path}, request, [&](const auto& head) {
                 auto header = detect_table(head(0), path);
                 table.names = std::move(header.names);
                 table.types = std::move(header.types);
                 return std::vector<DetectedLayout>{{header.layout, std::move(header.notes)}};
               }).front();
  comm.attempt([&] {
    if (comm.is_root()) need_ids_first(path, table.file.storage.index, table.names);
  });
  share(comm, table.names);
  share(comm, table.types);
  return table;
}

}  // namespace cohort
