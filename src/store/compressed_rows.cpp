#include "store/compressed_rows.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace cohort {

void write_row_begin(const Communicator& comm, h5::Writer& file, const std::string& name,
                     const std::vector<std::int64_t>& row_begin, std::int64_t entries) {
  // Offsets become global; the last rank adds the end.
  const std::int64_t before = comm.exclusive_sum(entries);
  std::vector<std::int64_t> begin(row_begin);
  for (auto& offset : begin) offset += before;
  if (comm.rank() != comm.size() - 1) begin.pop_back();
  file.rows(name, std::span<const std::int64_t>(begin));
}

RowOffsets read_row_begin(const Communicator& comm, const h5::Reader& file, const std::string& name,
                          const std::string& entries_name, const Distribution& rows) {
  const std::int64_t total = file.shape(entries_name)[0];
  file.expect_rows(name, rows.total() + 1);
  const std::int64_t first = rows.begin(comm.rank());
  RowOffsets result;
  result.begin = file.rows<std::int64_t>(name, first, rows.count(comm.rank()) + 1);
  auto& begin = result.begin;
  comm.attempt([&] {
    // A rank's last offset is the next one's first, so the whole ascends where all parts do.
    if (!std::is_sorted(begin.begin(), begin.end()) || begin.front() < 0 || begin.back() > total ||
        (first == 0 && begin.front() != 0) || (rows.end(comm.rank()) == rows.total() && begin.back() != total)) {
      throw file.wrong(name, "does not ascend from 0 to the " + std::to_string(total) + " rows of /" + entries_name);
    }
  });
  result.first_entry = begin.front();
  for (auto& offset : begin) offset -= result.first_entry;
  return result;
}

}  // namespace cohort
