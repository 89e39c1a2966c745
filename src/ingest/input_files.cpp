#include "ingest/input_files.hpp"

#include <algorithm>
#include <memory>

#include "core/error.hpp"
#include "ingest/byte_source.hpp"

namespace cohort {

namespace {

// Enough for 200 lines of any sensible file, and for the first line of an adjacency list with 100,000 items.
constexpr std::size_t head_bytes = std::size_t{1} << 20;

std::string read_head(const std::string& path, bool gzip) {
  std::unique_ptr<ByteSource> source;
  if (gzip) {
    source = std::make_unique<GzipFile>(path);
  } else {
    source = std::make_unique<PlainFile>(path);
  }
  std::string head(head_bytes, '\0');
  std::size_t filled = 0;
  while (filled < head.size()) {
    const auto got = source->read(head.data() + filled, head.size() - filled);
    if (got == 0) break;
    filled += got;
  }
  head.resize(filled);
  return head;
}

// What rank 0 says about a file.
struct Description {
  std::int64_t size;
  bool gzip;
  bool old_mac;
  FileLayout layout;
};

// Whether the lines end in '\r'; then the head has '\n' in its place afterwards.
bool mend_line_ends(std::string& head) {
  if (head.find('\n') != std::string::npos || head.find('\r') == std::string::npos) return false;
  std::ranges::replace(head, '\r', '\n');
  return true;
}

// describe(head, path): how a file is written; called on rank 0. Collective.
template <class Describe>
std::vector<OpenedFile> open_all(const Communicator& comm, const std::vector<std::string>& paths, Describe describe) {
  std::vector<Description> described(paths.size());
  std::vector<OpenedFile> files(paths.size());
  comm.attempt([&] {
    for (std::size_t f = 0; f < paths.size(); ++f) {
      files[f].path = paths[f];
      files[f].size = PlainFile(paths[f]).size();
      if (!comm.is_root()) continue;
      const bool gzip = is_gzip(paths[f]);
      auto head = read_head(paths[f], gzip);
      const bool old_mac = mend_line_ends(head);
      described[f] = {files[f].size, gzip, old_mac, describe(head, paths[f])};
    }
  });
  comm.broadcast(std::span<Description>(described));
  comm.attempt([&] {
    for (std::size_t f = 0; f < paths.size(); ++f) {
      if (files[f].size == described[f].size) continue;
      throw InputError(paths[f] + ": rank " + std::to_string(comm.rank()) + " sees " + std::to_string(files[f].size) +
                       " bytes, rank 0 sees " + std::to_string(described[f].size) +
                       "; all nodes must see the same file");
    }
  });
  for (std::size_t f = 0; f < paths.size(); ++f) {
    files[f].gzip = described[f].gzip;
    files[f].old_mac = described[f].old_mac;
    files[f].layout = described[f].layout;
  }
  return files;
}

}  // namespace

BlockReader::Options reading_options(const OpenedFile& file) {
  BlockReader::Options options;
  options.line_limit = line_limit(file.layout);
  options.quotes = file.layout.format == TextFormat::csv;
  options.old_mac = file.old_mac;
  return options;
}

std::vector<OpenedFile> open_files(const Communicator& comm, const std::vector<std::string>& paths, FileRole role,
                                   const std::string& format, const ColumnChoice& columns) {
  return open_all(comm, paths, [&](const std::string& head, const std::string& path) {
    return detect_layout(head, path, role, format, columns);
  });
}

OpenedTable open_table(const Communicator& comm, const std::string& path) {
  OpenedTable table;
  table.file = open_all(comm, {path}, [&](const std::string& head, const std::string& name) {
                 auto header = detect_table(head, name);
                 table.names = std::move(header.names);
                 table.types = std::move(header.types);
                 return header.layout;
               }).front();
  const auto columns = static_cast<std::size_t>(table.file.layout.columns);
  table.names.resize(columns);
  for (auto& name : table.names) name = comm.broadcast(name);
  table.types.resize(comm.any(!table.types.empty()) ? columns : 0);
  for (auto& type : table.types) type = comm.broadcast(type);
  return table;
}

}  // namespace cohort
