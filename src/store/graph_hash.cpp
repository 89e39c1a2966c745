#include "store/graph_hash.hpp"

#include <bit>
#include <string_view>

#include "core/mixed.hpp"

namespace cohort {

namespace {

// One hash a thing, added modulo 2^64: any order, any ranks.

// What a hash is of, so that a user is no item.
enum class Thing : std::uint64_t {
  user,
  item,
  interaction,
  friendship,
  shard,
  neighbour,
  user_features,
  item_features
};

std::uint64_t start(Thing thing, std::int64_t number) {
  return mixed(mixed(0, static_cast<std::uint64_t>(thing)), static_cast<std::uint64_t>(number));
}

std::uint64_t ids_hash(const Communicator& comm, Thing thing, const IdTable& ids) {
  std::uint64_t sum = 0;
  const auto first = ids.distribution.begin(comm.rank());
  for (std::int64_t i = 0; i < ids.block_size(); ++i) {
    auto hash = start(thing, first + i);
    for (const char c : ids[i]) hash = mixed(hash, static_cast<unsigned char>(c));
    sum += hash;
  }
  return sum;
}

std::uint64_t pairs_hash(Thing thing, const PairTable& pairs, std::int64_t first_row) {
  std::uint64_t sum = 0;
  for (std::int64_t row = 0; row < pairs.rows(); ++row) {
    const auto of_row = start(thing, first_row + row);
    const auto end = static_cast<std::size_t>(pairs.row_begin[row + 1]);
    for (auto k = static_cast<std::size_t>(pairs.row_begin[row]); k < end; ++k) {
      sum += mixed(mixed(of_row, static_cast<std::uint64_t>(pairs.other[k])),
                   std::bit_cast<std::uint32_t>(pairs.weight[k]));
    }
  }
  return sum;
}

std::uint64_t features_hash(Thing thing, const std::vector<FeatureTable>& tables, std::int64_t first_row) {
  std::uint64_t sum = 0;
  // Rows of the second file are numbered after all that one can have.
  for (std::size_t t = 0; t < tables.size(); ++t) {
    sum += pairs_hash(thing, tables[t].rows, first_row + (static_cast<std::int64_t>(t) << 48));
  }
  return sum;
}

}  // namespace

std::int64_t graph_hash(const Communicator& comm, const Dataset& dataset) {
  const auto first = dataset.users.distribution.begin(comm.rank());
  const auto mine =
      ids_hash(comm, Thing::user, dataset.users) + ids_hash(comm, Thing::item, dataset.items) +
      pairs_hash(Thing::interaction, dataset.interactions, first) +
      pairs_hash(Thing::friendship, dataset.social, first) + pairs_hash(Thing::neighbour, dataset.neighbours, first) +
      features_hash(Thing::user_features, dataset.user_features, first) +
      features_hash(Thing::item_features, dataset.item_features, dataset.items.distribution.begin(comm.rank()));
  return std::bit_cast<std::int64_t>(comm.sum(mine));
}

std::int64_t partition_hash(const Communicator& comm, const StoredPartition& partition) {
  const auto first = comm.exclusive_sum(std::ssize(partition.shard_of));
  std::uint64_t mine = 0;
  for (std::size_t i = 0; i < partition.shard_of.size(); ++i) {
    mine += mixed(start(Thing::shard, first + static_cast<std::int64_t>(i)),
                  static_cast<std::uint64_t>(partition.shard_of[i]));
  }
  return std::bit_cast<std::int64_t>(comm.sum(mine));
}

}  // namespace cohort
