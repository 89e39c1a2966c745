#include "ingest/files/input_files.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "ingest/files/byte_source.hpp"
#include "ingest/files/parquet_file.hpp"

namespace cohort {

namespace {

// Enough for 200 lines of any sensible file, and for the first line of an adjacency list with 100,000 items.
constexpr std::size_t head_bytes = std::size_t{1} << 20;

std::string read_head(const std::string& path, const Storage& storage) {
  if (storage.parquet) return parquet_head(path);
  return first_bytes(*open_text(path, storage), head_bytes);
}

// What rank 0 says about a file.
struct Description {
  FileSight sight;
  Packing packing;
  bool parquet;
  bool old_mac;
  FileLayout layout;
};

// Whether the lines end in '\r'; then the head has '\n' in its place afterwards.
bool mend_line_ends(std::string& head) {
  if (head.find('\n') != std::string::npos || head.find('\r') == std::string::npos) return false;
  std::ranges::replace(head, '\r', '\n');
  return true;
}

// A list of texts as one text, and back: rank 0 tells the others in one call.
void pack(std::string& packed, const std::string& text) {
  packed += std::to_string(text.size()) + ":" + text;
}
void pack(std::string& packed, const std::vector<std::string>& texts) {
  packed += std::to_string(texts.size()) + ":";
  for (const auto& text : texts) pack(packed, text);
}
std::size_t unpack_size(std::string_view& packed) {
  const auto colon = packed.find(':');
  std::size_t size = 0;
  std::from_chars(packed.data(), packed.data() + colon, size);
  packed.remove_prefix(colon + 1);
  return size;
}
void unpack(std::string_view& packed, std::string& text) {
  const auto size = unpack_size(packed);
  text = packed.substr(0, size);
  packed.remove_prefix(size);
}
void unpack(std::string_view& packed, std::vector<std::string>& texts) {
  texts.resize(unpack_size(packed));
  for (auto& text : texts) unpack(packed, text);
}

// Opens files and looks at them on rank 0: describe(heads) gives the layouts, where heads(f) are the first bytes of
// file f. Collective.
template <class Describe>
std::vector<OpenedFile> open_all(const Communicator& comm, const std::vector<std::string>& paths,
                                 const std::string& encoding, Describe describe) {
  std::vector<Description> described(paths.size());
  std::vector<OpenedFile> files(paths.size());
  std::vector<FileSight> sight(paths.size());
  std::string notes;
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
      storage = storage_of(paths[f], encoding, true);
      described[f].packing = storage.packing;
      described[f].parquet = storage.parquet;
      auto first = read_head(paths[f], storage);
      described[f].old_mac = mend_line_ends(first);
      // All of the file: its last line may lack its end.
      if (!first.empty() && first.size() < head_bytes && !first.ends_with('\n')) first += '\n';
      return first;
    });
    for (std::size_t f = 0; f < paths.size(); ++f) {
      described[f].sight = sight[f];
      described[f].layout = layouts[f].layout;
      const auto& said = layouts[f].notes;
      for (const auto& text : {files[f].storage.encoding, said.header, said.header_of}) pack(notes, text);
      for (const auto& texts : {said.names, said.sample, said.warnings}) pack(notes, texts);
    }
  });
  comm.broadcast(std::span<Description>(described));
  notes = comm.broadcast(notes);
  comm.attempt([&] {
    for (std::size_t f = 0; f < paths.size(); ++f) need_same(comm, paths[f], sight[f], described[f].sight);
  });
  std::string_view packed = notes;
  for (std::size_t f = 0; f < paths.size(); ++f) {
    files[f].storage.packing = described[f].packing;
    files[f].storage.parquet = described[f].parquet;
    files[f].old_mac = described[f].old_mac;
    files[f].layout = described[f].layout;
    auto& said = files[f].notes;
    for (auto* text : {&files[f].storage.encoding, &said.header, &said.header_of}) unpack(packed, *text);
    for (auto* texts : {&said.names, &said.sample, &said.warnings}) unpack(packed, *texts);
  }
  return files;
}

}  // namespace

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
  return open_all(comm, paths, request.encoding,
                  [&](const auto& head) { return detect_layouts(paths, request, head); });
}

OpenedTable open_table(const Communicator& comm, const std::string& path, const std::string& encoding) {
  OpenedTable table;
  table.file = open_all(comm, {path}, encoding, [&](const auto& head) {
                 auto header = detect_table(head(0), path);
                 table.names = std::move(header.names);
                 table.types = std::move(header.types);
                 return std::vector<DetectedLayout>{{header.layout, std::move(header.notes)}};
               }).front();
  table.file.whole = true;
  const auto columns = static_cast<std::size_t>(table.file.layout.columns);
  table.names.resize(columns);
  for (auto& name : table.names) name = comm.broadcast(name);
  table.types.resize(comm.any(!table.types.empty()) ? columns : 0);
  for (auto& type : table.types) type = comm.broadcast(type);
  return table;
}

}  // namespace cohort
