#include "data/id_fetch.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace cohort {

IdTable fetch_ids(const Communicator& comm, const IdTable& table, std::span<const std::int64_t> wanted) {
  std::vector<std::int64_t> begin;
  for (int r = 0; r <= comm.size(); ++r) {
    const auto edge = r < comm.size() ? table.distribution.begin(r) : table.total();
    begin.push_back(std::ranges::lower_bound(wanted, edge) - wanted.begin());
  }
  const auto asked = comm.exchange(wanted, std::span<const std::int64_t>(begin));
  std::vector<std::int64_t> length;
  std::string bytes;
  std::vector<std::int64_t> byte_begin{0};
  comm.attempt([&] {
    for (int r = 0; r < comm.size(); ++r) {
      for (const auto number : asked.from(r)) {
        const auto id = table[number - table.distribution.begin(comm.rank())];
        length.push_back(std::ssize(id));
        bytes.append(id);
      }
      byte_begin.push_back(std::ssize(bytes));
    }
  });
  IdTable ids;
  for (const auto size :
       comm.exchange(std::span<const std::int64_t>(length), std::span<const std::int64_t>(asked.begin)).data) {
    ids.begin.push_back(ids.begin.back() + size);
  }
  const auto text = comm.exchange(std::span<const char>(bytes), std::span<const std::int64_t>(byte_begin)).data;
  ids.bytes.assign(text.begin(), text.end());
  return ids;
}

}  // namespace cohort
