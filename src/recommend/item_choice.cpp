#include "recommend/item_choice.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/words.hpp"

namespace cohort {

ItemChoice choose_items(const Communicator& comm, const ItemCounts& counts, ConstMatrixView items,
                        std::int64_t min_support, std::span<const char> allowed) {
  const bool listed = comm.any(!allowed.empty());
  ItemChoice choice;
  comm.attempt([&] {
    COHORT_CHECK(!listed || allowed.size() == counts.users.size());
    for (std::size_t i = 0; i < counts.users.size(); ++i) {
      if ((listed && !allowed[i]) || counts.users[i] < min_support) continue;
      choice.rows.push_back(static_cast<std::int32_t>(i));
    }
  });
  std::vector<std::int64_t> begin{0};
  for (const auto of_rank : comm.all_gather(std::ssize(choice.rows))) begin.push_back(begin.back() + of_rank);
  choice.blocks = Distribution(begin);
  choice.all = choice.blocks.total() == counts.blocks.total();
  if (choice.blocks.total() == 0) {
    throw InputError(
        "no item is left to recommend: " + std::string(listed ? "none of the allowed items" : "none of the items") +
        " has the " + counted(min_support, "training user") + " that recommend.min_support wants");
  }
  if (choice.all) return choice;
  comm.attempt([&] {
    choice.embedding = Matrix(std::ssize(choice.rows), items.columns);
    for (std::int64_t i = 0; i < choice.embedding.rows(); ++i) {
      const auto row = choice.rows[i];
      choice.numbers.push_back(counts.blocks.begin(comm.rank()) + row);
      std::copy_n(items.row(row), items.columns, choice.embedding.row(i));
    }
  });
  return choice;
}

}  // namespace cohort
