// Contiguous blocks of about even cost: the one rule by which anything whose rows differ in what they hold is divided.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"

namespace cohort {

/// Finds where blocks begin in a long list of costs, of which any part may be looked at by anybody. An element whose
/// predecessors cost c belongs to block floor(c * blocks / total): a block costs less than total / blocks and its last
/// element together. An element dearer than that leaves blocks after it empty.
class CostCuts {
 public:
  /// total_cost: of the whole list, above 0 where it has elements.
  CostCuts(std::int64_t elements, std::int64_t total_cost, int blocks);

  /// Elements first, first + 1, ... cost `cost`, each above 0; those before them cost cost_before. Local.
  void look(std::int64_t first, std::int64_t cost_before, std::span<const std::int64_t> cost);

  /// blocks + 1: where each begins, and the number of elements. Of several who looked at parts of the list, who found
  /// the smallest number is right.
  std::span<std::int64_t> begins() { return begin_; }
  Distribution distribution() const { return Distribution(begin_); }

 private:
  // What the predecessors of a block's first element cost at least.
  std::int64_t least_cost_before(std::int64_t block) const;

  std::int64_t total_cost_;
  std::vector<std::int64_t> begin_;
};

/// Blocks of about even cost of `lists`, one list after the other; of each list this rank has the part that follows
/// those of the ranks below. They depend on the costs alone, not on which rank has which. Collective.
Distribution cost_blocks(const Communicator& comm, std::initializer_list<std::span<const std::int64_t>> lists,
                         int blocks);

}  // namespace cohort
