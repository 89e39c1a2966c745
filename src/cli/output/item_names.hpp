// The ids of the items that a rank writes, ready for a format: fetched from their owners, so that no rank holds all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

class ItemNames {
 public:
  using Quoted = std::string (*)(std::string_view);

  /// lists: items that this rank writes, in any order, with repeats; what is below 0 is none. quoted: an id as the
  /// format has it. Collective.
  ItemNames(const Communicator& comm, const IdTable& items, std::span<const std::span<const std::int64_t>> lists,
            Quoted quoted);
  /// All items, of a table that is not distributed. Local.
  ItemNames(const IdTable& items, Quoted quoted);

  /// Of an item that is in one of the lists.
  const std::string& of(std::int64_t item) const;

 private:
  std::vector<std::int64_t> number_;  // ascending
  std::vector<std::string> name_;
};

}  // namespace cohort
