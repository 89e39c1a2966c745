// Who has an item, for all items, in blocks of about even length over the ranks. Internal to the graph of users.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "data/distinct.hpp"
#include "graph/behaviour.hpp"

namespace cohort {

/// A list holds users, ascending, and with what weight they have the item.
class ItemLists {
 public:
  /// first_user: of this rank. wanted: the items of `behaviour`. weighted: whether any rank's has weights. Collective.
  ItemLists(const Communicator& comm, const Distribution& items, std::int64_t first_user, const Behaviour& behaviour,
            const Distinct& wanted, bool weighted);

  /// Whose lists are where: items by rank.
  const Distribution& blocks() const { return blocks_; }

  struct Part {
    std::vector<std::int64_t> row_begin{0};
    std::vector<std::int32_t> user;    ///< less the first
    std::vector<std::int32_t> weight;  ///< the bits of float32, as lists travel as such; empty: all are 1
  };
  /// The parts of this rank's lists with users below `end`, after what was taken before; users less `first`. Local.
  Part take(std::int64_t first, std::int64_t end);
  /// Nothing has been taken. Local.
  void rewind() { taken_ = row_begin_; }

 private:
  struct Entry {
    std::int64_t item;  // of the receiver's block
    std::uint32_t user;
  };
  void fill(std::span<const Entry> came, std::span<const float> weight);

  bool weighted_;
  Distribution blocks_;
  std::vector<std::int64_t> row_begin_;
  std::vector<std::int64_t> taken_;
  std::vector<std::uint32_t> user_;
  std::vector<float> weight_;
};

}  // namespace cohort
