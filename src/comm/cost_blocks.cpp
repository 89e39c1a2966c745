#include "comm/cost_blocks.hpp"

#include <algorithm>
#include <numeric>

namespace cohort {

CostCuts::CostCuts(std::int64_t elements, std::int64_t total_cost, int blocks)
    : total_cost_(total_cost), begin_(static_cast<std::size_t>(blocks) + 1, elements) {
  COHORT_CHECK(blocks >= 1 && (elements == 0 || total_cost > 0));
  begin_.front() = 0;
}

std::int64_t CostCuts::least_cost_before(std::int64_t block) const {
  const std::int64_t blocks = std::ssize(begin_) - 1;
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>((Wide{block} * total_cost_ + blocks - 1) / blocks);
}

void CostCuts::look(std::int64_t first, std::int64_t cost_before, std::span<const std::int64_t> cost) {
  // What comes before the first element is not known here: all blocks up to its own may begin with it, as far as this
  // call can tell.
  std::int64_t block = 1;
  auto least = least_cost_before(block);
  for (std::size_t i = 0; i < cost.size(); ++i) {
    COHORT_CHECK(cost[i] > 0);
    for (; block + 1 < std::ssize(begin_) && cost_before >= least; least = least_cost_before(++block)) {
      auto& begin = begin_[block];
      begin = std::min(begin, first + static_cast<std::int64_t>(i));
    }
    cost_before += cost[i];
  }
}

Distribution cost_blocks(const Communicator& comm, std::initializer_list<std::span<const std::int64_t>> lists,
                         int blocks) {
  // Of every list, its length and its cost.
  std::vector<std::int64_t> mine;
  for (const auto list : lists) {
    mine.push_back(std::ssize(list));
    mine.push_back(std::accumulate(list.begin(), list.end(), std::int64_t{0}));
  }
  auto before = mine;
  auto total = mine;
  comm.exclusive_sum_in_place(std::span<std::int64_t>(before));
  comm.sum_in_place(std::span<std::int64_t>(total));
  std::int64_t elements = 0;
  std::int64_t cost = 0;
  for (std::size_t i = 0; i < total.size(); i += 2) {
    before[i] += elements;
    before[i + 1] += cost;
    elements += total[i];
    cost += total[i + 1];
  }
  CostCuts cuts(elements, cost, blocks);
  comm.attempt([&] {
    std::size_t i = 0;
    for (const auto list : lists) {
      cuts.look(before[i], before[i + 1], list);
      i += 2;
    }
  });
  comm.min_in_place(cuts.begins());
  return cuts.distribution();
}

}  // namespace cohort
