#include "comm/exchange_plan.hpp"

#include <algorithm>

namespace cohort {

namespace {

// Ranks with a part of their own in `begin` (P + 1), and their offsets.
void compress(std::span<const std::int64_t> begin, std::vector<int>& ranks, std::vector<std::int64_t>& offsets) {
  offsets.assign(1, 0);
  for (std::size_t r = 0; r + 1 < begin.size(); ++r) {
    if (begin[r + 1] == begin[r]) continue;
    ranks.push_back(static_cast<int>(r));
    offsets.push_back(begin[r + 1]);
  }
}

}  // namespace

ExchangePlan plan_fetch(const Communicator& comm, const Distribution& owners, std::span<const Position> wanted) {
  std::vector<std::int64_t> begin(comm.size() + 1);
  for (int r = 0; r <= comm.size(); ++r) {
    const Position bound{r < comm.size() ? owners.begin(r) : owners.total()};
    begin[r] = std::lower_bound(wanted.begin(), wanted.end(), bound) - wanted.begin();
  }
  const auto requested = comm.exchange(wanted, std::span<const std::int64_t>(begin));
  ExchangePlan plan;
  compress(begin, plan.receive_from, plan.receive_begin);
  compress(requested.begin, plan.send_to, plan.send_begin);
  const std::int64_t first = owners.begin(comm.rank());
  plan.send_rows.reserve(requested.data.size());
  for (const Position position : requested.data) {
    plan.send_rows.push_back(static_cast<std::int32_t>(position.value - first));
  }
  return plan;
}

}  // namespace cohort
