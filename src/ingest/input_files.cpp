#include "ingest/input_files.hpp"

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
  FileLayout layout;
};

}  // namespace

std::vector<OpenedFile> open_files(const Communicator& comm, const std::vector<std::string>& paths, FileRole role,
                                   const std::string& format, const ColumnChoice& columns) {
  std::vector<Description> described(paths.size());
  std::vector<OpenedFile> files(paths.size());
  comm.attempt([&] {
    for (std::size_t f = 0; f < paths.size(); ++f) {
      files[f].path = paths[f];
      files[f].size = PlainFile(paths[f]).size();
      if (!comm.is_root()) continue;
      const bool gzip = is_gzip(paths[f]);
      described[f] = {files[f].size, gzip, detect_layout(read_head(paths[f], gzip), paths[f], role, format, columns)};
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
    files[f].layout = described[f].layout;
  }
  return files;
}

}  // namespace cohort
