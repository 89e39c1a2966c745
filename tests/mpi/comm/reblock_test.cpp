// Rows moved between blocks: every row must arrive where its global number says, also where ranks hold nothing.
#include "comm/reblock.hpp"

#include <gtest/gtest.h>

namespace cohort {
namespace {

Matrix numbered(const Distribution& blocks, int rank, std::int64_t columns) {
  Matrix matrix(blocks.count(rank), columns);
  for (std::int64_t i = 0; i < matrix.rows(); ++i) {
    for (std::int64_t j = 0; j < columns; ++j)
      matrix.row(i)[j] = static_cast<float>((blocks.begin(rank) + i) * 100 + j);
  }
  return matrix;
}

TEST(Reblock, RowsArriveByTheirNumber) {
  const auto comm = Communicator::world();
  // All on the last rank, even blocks, and all on the first.
  std::vector<std::int64_t> last(comm.size() + 1, 0);
  last.back() = 23;
  std::vector<std::int64_t> head(comm.size() + 1, 23);
  head.front() = 0;
  for (const auto& from : {Distribution(last), Distribution::even(23, comm.size()), Distribution(head)}) {
    for (const std::int64_t columns : {16, 10}) {
      const auto rows = numbered(from, comm.rank(), columns);
      for (const auto& [first, count] :
           std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 23}, {0, 9}, {9, 14}, {22, 1}, {23, 0}, {5, 0}}) {
        const auto to = Distribution::even(count, comm.size());
        const auto found = reblock(comm, rows.view(), from, first, to);
        ASSERT_EQ(found.rows(), to.count(comm.rank()));
        for (std::int64_t i = 0; i < found.rows(); ++i) {
          for (std::int64_t j = 0; j < found.stride(); ++j) {
            const auto global = first + to.begin(comm.rank()) + i;
            ASSERT_EQ(found.row(i)[j], j < columns ? static_cast<float>(global * 100 + j) : 0.0F);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cohort
