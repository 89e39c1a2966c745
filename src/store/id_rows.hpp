// Original ids as datasets of strings. Internal to store/.
#pragma once

#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "store/h5.hpp"

namespace cohort {

/// This rank's block of ids after those of the ranks before it. Collective.
inline void write_ids(h5::Writer& file, const std::string& name, const IdTable& ids) {
  file.strings(name, ids.block_size(), [&](std::int64_t i) { return ids[i]; });
}

/// Even blocks; empty where there is no such dataset. Throws InputError where ids do not ascend as the dictionary's do.
/// Collective.
inline IdTable read_ids(const Communicator& comm, const h5::Reader& file, const std::string& name) {
  IdTable result;
  const std::int64_t total = file.has(name) ? file.shape(name).at(0) : 0;
  result.distribution = Distribution::even(total, comm.size());
  if (total == 0) return result;
  // The id before this rank's first one, to see that the order holds there too.
  const auto first = result.distribution.begin(comm.rank());
  const auto count = result.distribution.count(comm.rank());
  const std::int64_t before = first > 0 && count > 0 ? 1 : 0;
  std::optional<std::string> last;
  bool ascending = true;
  std::int64_t row = -before;
  file.strings(name, first - before, count + before, [&](std::string_view id) {
    ascending =
        ascending && !id.empty() && (!last || last->size() < id.size() || (last->size() == id.size() && *last < id));
    last = id;
    if (row++ >= 0) result.push_back(id);
  });
  comm.attempt([&] {
    if (!ascending) throw file.wrong(name, "holds ids that are empty, repeated or out of order");
  });
  return result;
}

}  // namespace cohort
