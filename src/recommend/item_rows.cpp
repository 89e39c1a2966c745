#include "recommend/item_rows.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "comm/row_exchange.hpp"
#include "core/ids.hpp"

namespace cohort {

Matrix fetch_item_rows(const Communicator& comm, const Distribution& blocks, ConstMatrixView mine,
                       std::span<const std::int64_t> wanted) {
  const auto columns = comm.max(mine.rows > 0 ? mine.columns : 0);
  const auto first = std::ranges::lower_bound(wanted, blocks.begin(comm.rank())) - wanted.begin();
  const auto last = std::ranges::lower_bound(wanted, blocks.end(comm.rank())) - wanted.begin();
  std::vector<Position> others;
  Matrix came;
  Matrix rows;
  comm.attempt([&] {
    for (std::int64_t i = 0; i < std::ssize(wanted); ++i) {
      if (i < first || i >= last) others.emplace_back(wanted[i]);
    }
    came = Matrix(std::ssize(others), columns);
    rows = Matrix(std::ssize(wanted), columns);
  });
  const auto plan = plan_fetch(comm, blocks, others);
  RowExchange exchange(comm, columns);
  exchange.start(plan, mine, came.row(0));
  exchange.finish();
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    const bool own = i >= first && i < last;
    const auto* const row =
        own ? mine.row(wanted[i] - blocks.begin(comm.rank())) : came.row(i < first ? i : i - (last - first));
    std::memcpy(rows.row(i), row, static_cast<std::size_t>(columns) * sizeof(float));
  }
  return rows;
}

}  // namespace cohort
