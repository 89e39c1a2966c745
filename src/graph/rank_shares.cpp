#include "graph/rank_shares.hpp"

#include <algorithm>
#include <span>

#include "core/ragged.hpp"

namespace cohort {

namespace {

// All numbers of a rank that are sums over rows, so that processes can add up what they have.
constexpr std::size_t fields = sizeof(RankShare) / sizeof(std::int64_t);

struct Pair {
  std::int32_t owner;
  std::int32_t reader;
  bool operator<(const Pair& other) const { return owner != other.owner ? owner < other.owner : reader < other.reader; }
  bool operator==(const Pair& other) const { return owner == other.owner && reader == other.reader; }
};

void sort_unique(std::vector<Pair>& pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
}

// The rank that would own each local row.
std::vector<std::int32_t> owners_of(const Communicator& comm, const ShardGraph& graph, const Distribution& positions) {
  std::vector<std::int32_t> owner;
  owner.reserve(graph.local_rows());
  const std::int64_t first = graph.positions.begin(comm.rank());
  for (std::int64_t row = 0; row < graph.owned(); ++row) owner.push_back(positions.owner(first + row));
  for (const Position ghost : graph.ghost) owner.push_back(positions.owner(ghost.value));
  return owner;
}

}  // namespace

std::int64_t graph_bytes(const RankShare& share, std::int64_t directory) {
  // Node, degree, row_begin and interior or boundary; node and position of a ghost; column and value; rows to send.
  return 28 * share.owned + 16 * share.ghosts + 8 * share.entries + 4 * share.sent_rows + 8 * directory;
}

std::int64_t sharding_bytes(std::int64_t entries) {
  // What is there at once is 30; lists that grow leave the allocator with holes.
  return 35 * entries;
}

std::int64_t bipartite_graph_bytes(std::int64_t entries) {
  return 36 * entries;  // row, column, twice, and a weight
}

std::int64_t user_graph_bytes(std::int64_t entries) {
  return 32 * entries;
}

RankShares rank_shares(const Communicator& comm, const ShardGraph& graph, const Distribution& shards_of_rank) {
  RankShares shares;
  std::vector<Pair> pairs;
  comm.attempt([&] {
    COHORT_CHECK(shards_of_rank.total() == graph.layout.shards());
    shares.positions = ShardLayout{shards_of_rank, graph.layout.position_begin}.positions_of_rank();
    shares.rank.resize(shards_of_rank.ranks());
    shares.readers.assign(graph.owned(), 0);
    const auto owner = owners_of(comm, graph, shares.positions);
    std::vector<std::int64_t> seen(shares.rank.size(), -1);  // by rank: the last row that it reads
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto own = owner[row];
      const bool is_user = graph.is_user(LocalRow{static_cast<std::int32_t>(row)});
      auto& share = shares.rank[own];
      for (const auto e : places_of(graph.adjacency.row_begin, static_cast<std::size_t>(row))) {
        const auto other = owner[graph.adjacency.column[e].value];
        if (other == own || seen[other] == row) continue;
        seen[other] = row;
        ++shares.readers[row];
        ++shares.rank[other].ghosts;  // the graph is symmetric: whoever has an edge to the row reads it
        pairs.push_back({own, other});
      }
      const auto entries = places_of(graph.adjacency.row_begin, static_cast<std::size_t>(row)).size();
      ++share.owned;
      share.users += is_user ? 1 : 0;
      share.entries += entries;
      share.interior_entries += shares.readers[row] == 0 ? entries : 0;
      share.sent_rows += shares.readers[row];
      share.sent_users += is_user ? shares.readers[row] : 0;
      if (pairs.size() > (std::size_t{1} << 22)) sort_unique(pairs);
    }
    sort_unique(pairs);
  });
  comm.sum_in_place(std::span(&shares.rank.front().owned, shares.rank.size() * fields));
  auto all = comm.all_gather(std::span<const Pair>(pairs)).data;
  comm.attempt([&] {
    sort_unique(all);
    for (const auto& pair : all) {
      ++shares.rank[pair.owner].neighbours;
      shares.rank[pair.owner].neighbour_rows += shares.rank[pair.reader].owned;
    }
  });
  return shares;
}

}  // namespace cohort
