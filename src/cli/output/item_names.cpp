#include "cli/output/item_names.hpp"

#include <algorithm>
#include <numeric>

#include "data/distinct.hpp"
#include "data/id_fetch.hpp"

namespace cohort {

ItemNames::ItemNames(const Communicator& comm, const IdTable& items,
                     std::span<const std::span<const std::int64_t>> lists, Quoted quoted) {
  comm.attempt([&] {
    std::vector<std::int64_t> wanted;
    for (const auto list : lists) {
      std::ranges::copy_if(list, std::back_inserter(wanted), [](std::int64_t item) { return item >= 0; });
    }
    number_ = distinct_of(wanted).values;
  });
  const auto ids = fetch_ids(comm, items, number_);
  comm.attempt([&] {
    for (std::int64_t i = 0; i < ids.block_size(); ++i) name_.push_back(quoted(ids[i]));
  });
}

ItemNames::ItemNames(const IdTable& items, Quoted quoted) : number_(static_cast<std::size_t>(items.block_size())) {
  std::iota(number_.begin(), number_.end(), std::int64_t{0});
  for (const auto item : number_) name_.push_back(quoted(items[item]));
}

const std::string& ItemNames::of(std::int64_t item) const {
  return name_[std::ranges::lower_bound(number_, item) - number_.begin()];
}

}  // namespace cohort
