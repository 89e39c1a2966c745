#include "ingest/line_blocks.hpp"

#include <algorithm>

#include "comm/distribution.hpp"
#include "core/interruption.hpp"
#include "ingest/byte_source.hpp"
#include "ingest/gzip_rounds.hpp"

namespace cohort {

namespace {

void read_own_range(const Communicator& comm, const OpenedFile& opened,
                    const std::function<void(const LineBlock&)>& parse) {
  PlainFile file(opened.path);
  const auto data_begin = opened.layout.data_begin;
  const auto ranges = Distribution::even(opened.size - data_begin, comm.size());
  BlockReader::Options options;
  options.line_limit = line_limit(opened.layout);
  options.end = data_begin + ranges.end(comm.rank());
  const auto start = seek_first_line(file, data_begin, data_begin + ranges.begin(comm.rank()), options.end);
  BlockReader reader(file, start, options);
  LineBlock block;
  while (reader.next(block)) {
    end_if_interrupted();
    parse(block);
  }
}

}  // namespace

void read_blocks(const Communicator& comm, const std::vector<OpenedFile>& files,
                 const std::function<void(std::size_t, const LineBlock&)>& parse) {
  comm.attempt([&] {
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (!files[f].gzip) read_own_range(comm, files[f], [&](const LineBlock& block) { parse(f, block); });
    }
  });
  deal_out_gzip(comm, files, parse);
}

std::int64_t line_number_at(const std::string& path, std::int64_t offset) {
  PlainFile file(path);
  std::vector<char> buffer(std::size_t{1} << 20);
  std::int64_t number = 1;
  while (offset > 0) {
    const auto wanted = std::min(offset, std::ssize(buffer));
    const auto got = static_cast<std::ptrdiff_t>(file.read(buffer.data(), static_cast<std::size_t>(wanted)));
    if (got == 0) break;
    number += std::count(buffer.begin(), buffer.begin() + got, '\n');
    offset -= got;
  }
  return number;
}

}  // namespace cohort
