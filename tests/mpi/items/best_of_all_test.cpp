// The best of lists that ranks have parts of, against sorting all of them together.
#include "items/best_of_all.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace cohort {
namespace {

struct Entry {
  std::int64_t value;
  std::int64_t id;
  friend bool operator<(const Entry& a, const Entry& b) { return a.value != b.value ? a.value > b.value : a.id < b.id; }
  friend bool operator==(const Entry&, const Entry&) = default;
};

TEST(BestOfAll, IsWhatSortingAllTogetherFinds) {
  const auto comm = Communicator::world();
  // Of no list, of lists that are empty, shorter and longer than what is wanted of them, some on one rank alone.
  for (const std::int64_t lists : {0, 1, 5}) {
    std::vector<std::int64_t> length;
    for (std::int64_t l = 0; l < lists; ++l) length.push_back(l == 3 ? 0 : 4 * l + 1);
    std::vector<std::vector<Entry>> mine(length.size());
    std::vector<std::vector<Entry>> all(length.size());
    std::mt19937 random(17);
    for (std::size_t l = 0; l < all.size(); ++l) {
      const auto entries = l == 1 ? 0 : 60 / (l + 1);
      for (std::size_t i = 0; i < entries; ++i) {
        const Entry entry{static_cast<std::int64_t>(random() % 9), static_cast<std::int64_t>(i)};
        const auto owner = l == 2 ? 0 : static_cast<int>(random() % static_cast<unsigned>(comm.size()));
        all[l].push_back(entry);
        if (owner == comm.rank()) mine[l].push_back(entry);
      }
    }
    const auto best = best_of_all(comm, mine, length);
    ASSERT_EQ(best.row_begin.size(), length.size() + 1);
    for (std::size_t l = 0; l < all.size(); ++l) {
      std::sort(all[l].begin(), all[l].end());
      all[l].resize(std::min(all[l].size(), static_cast<std::size_t>(length[l])));
      const std::vector<Entry> found(best.entries.begin() + best.row_begin[l],
                                     best.entries.begin() + best.row_begin[l + 1]);
      EXPECT_EQ(found, all[l]) << "list " << l << " of " << lists;
    }
  }
}

}  // namespace
}  // namespace cohort
