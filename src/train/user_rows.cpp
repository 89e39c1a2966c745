#include "train/user_rows.hpp"

#include <algorithm>

namespace cohort {

UserRows users_by_shard(const Communicator& comm, const ShardGraph& graph, ConstMatrixView owned) {
  UserRows users;
  const int rank = comm.rank();
  const auto shards = graph.layout.last_shard(rank) - graph.layout.first_shard(rank);
  for (std::int32_t k = 0; k < shards; ++k) {
    users.shard_begin.push_back(std::ssize(users.id));
    const auto end = graph.shard_first_row(rank, k + 1);
    for (auto row = graph.shard_first_row(rank, k); row < end; ++row) {
      const auto node = graph.node[row];
      if (node.value >= graph.users) continue;
      users.id.push_back(node);
      users.owned_row.push_back(row);
    }
  }
  users.shard_begin.push_back(std::ssize(users.id));
  users.rows = Matrix(std::ssize(users.id), owned.columns);
  for (std::int64_t i = 0; i < users.rows.rows(); ++i) {
    std::copy_n(owned.row(users.owned_row[i]), owned.stride, users.rows.row(i));
  }
  return users;
}

}  // namespace cohort
