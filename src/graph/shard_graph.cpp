#include "graph/shard_graph.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "comm/index_plan.hpp"
#include "core/mixed.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "graph/id_numbers.hpp"

namespace cohort {

namespace {

struct RowHeader {
  Position position;
  NodeId node;
  std::int64_t entries;
  double degree;
};

// Rows as they come from the ranks that held them: header i's entries follow those of header i - 1.
struct ArrivedRows {
  std::vector<RowHeader> header;
  std::vector<Position> column;
  std::vector<float> value;
};

// Fills layout.position_begin; returns the positions of this rank's block. Blocks hold ascending NodeIds, so within a
// shard the nodes of lower ranks come first.
std::vector<Position> assign_positions(const Communicator& comm, std::span<const std::int32_t> shard_of,
                                       ShardLayout& layout) {
  const std::int64_t shards = layout.shards_of_rank.total();
  std::vector<std::int64_t> next(shards, 0);
  comm.attempt([&] {
    for (const auto shard : shard_of) {
      COHORT_CHECK(shard >= 0 && shard < shards, "a node's shard is out of range");
      ++next[shard];
    }
  });
  auto size = next;
  comm.sum_in_place(std::span<std::int64_t>(size));
  comm.exclusive_sum_in_place(std::span<std::int64_t>(next));
  layout.position_begin.assign(1, 0);
  for (std::size_t s = 0; s < size.size(); ++s) {
    next[s] += layout.position_begin.back();
    layout.position_begin.push_back(layout.position_begin.back() + size[s]);
  }
  std::vector<Position> position;
  position.reserve(shard_of.size());
  for (const auto shard : shard_of) position.emplace_back(next[shard]++);
  return position;
}

// Every entry counts one way, and the other way round with the opposite sign: in a symmetric graph all cancel. A graph
// that is not symmetric passes once in 2^64.
void check_symmetry(const Communicator& comm, const BlockGraph& blocks) {
  std::uint64_t difference = 0;
  const std::int64_t first = blocks.distribution.begin(comm.rank());
  for (std::int64_t row = 0; row < blocks.rows(); ++row) {
    const auto from = mixed(0, static_cast<std::uint64_t>(first + row));
    for (const auto k : places_of(blocks.row_begin, static_cast<std::size_t>(row))) {
      const auto to = mixed(0, static_cast<std::uint64_t>(blocks.column[k].value));
      const std::uint64_t weight = std::bit_cast<std::uint32_t>(blocks.weight[k]);
      difference += mixed(3 * from + to, weight) - mixed(3 * to + from, weight);
    }
  }
  COHORT_CHECK(comm.sum(difference) == 0, "the graph is not symmetric");
}

std::vector<double> weighted_degrees(const BlockGraph& blocks) {
  std::vector<double> degree(blocks.rows(), 0.0);
  for (std::size_t row = 0; row < degree.size(); ++row) {
    for (const auto k : places_of(blocks.row_begin, row)) {
      degree[row] += static_cast<double>(blocks.weight[k]);
    }
  }
  return degree;
}

// Normalises this rank's block of rows, turns columns into positions, and sends each row to its owner.
ArrivedRows send_rows(const Communicator& comm, const BlockGraph& blocks, const NodeDirectory& directory,
                      const Distribution& owners) {
  Distinct columns;
  comm.attempt([&] { columns = distinct_of(numbers(blocks.column)); });
  const auto degree = weighted_degrees(blocks);
  std::vector<Position> position_of;
  std::vector<double> degree_of;
  {
    const IndexPlan plan(comm, blocks.distribution, columns.values);
    position_of = plan.fetch(std::span<const Position>(directory.position));
    degree_of = plan.fetch(std::span<const double>(degree));
  }
  const auto rows = bucket_by(std::span<const Position>(directory.position), comm.size(),
                              [&](Position position) { return owners.owner(position.value); });
  const std::int64_t first = blocks.distribution.begin(comm.rank());
  std::vector<RowHeader> header(rows.data.size());
  std::vector<std::int64_t> entries_before(rows.data.size() + 1, 0);
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto row = static_cast<std::size_t>(rows.source[i]);
    header[i] = {rows.data[i], NodeId{first + rows.source[i]}, places_of(blocks.row_begin, row).size(), degree[row]};
    entries_before[i + 1] = entries_before[i] + header[i].entries;
  }
  std::vector<std::int64_t> entry_begin;
  for (const auto row : rows.begin) entry_begin.push_back(entries_before[row]);

  std::vector<Position> column;
  std::vector<float> value;
  comm.attempt([&] {
    column.resize(blocks.column.size());
    value.resize(blocks.column.size());
  });
#pragma omp parallel for schedule(dynamic, 512)
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto row = static_cast<std::size_t>(rows.source[i]);
    auto at = static_cast<std::size_t>(entries_before[i]);
    for (auto k = static_cast<std::size_t>(blocks.row_begin[row]);
         k < static_cast<std::size_t>(blocks.row_begin[row + 1]); ++k, ++at) {
      const auto place = columns.place[k];
      column[at] = position_of[place];
      value[at] = static_cast<float>(static_cast<double>(blocks.weight[k]) / std::sqrt(degree[row] * degree_of[place]));
    }
  }
  columns = {};
  const std::span<const std::int64_t> begin(entry_begin);
  ArrivedRows arrived;
  arrived.header = comm.exchange(std::span<const RowHeader>(header), std::span<const std::int64_t>(rows.begin)).data;
  arrived.column = comm.exchange(std::span<const Position>(column), begin).data;
  column = {};
  arrived.value = comm.exchange(std::span<const float>(value), begin).data;
  return arrived;
}

// Makes the local matrix: rows by position, columns as local rows, and finds the ghosts. Local.
void place_rows(ArrivedRows arrived, std::int64_t first, std::int64_t owned, ShardGraph& graph) {
  auto distinct = distinct_of(numbers(arrived.column));
  arrived.column = {};
  // The different columns ascend, so that their places order a row as their positions do.
  std::vector<LocalRow> local_of(distinct.values.size());
  const auto is_owned = [&](std::int64_t position) { return position >= first && position < first + owned; };
  for (const auto position : distinct.values) {
    if (!is_owned(position)) graph.ghost.emplace_back(position);
  }
  if (owned + std::ssize(graph.ghost) > std::numeric_limits<std::int32_t>::max()) {
    throw RunError("one rank would hold " + std::to_string(owned) + " nodes and " + std::to_string(graph.ghost.size()) +
                   " ghosts, more than 2^31 - 1 rows; use more ranks");
  }
  std::int64_t ghosts = 0;
  for (std::size_t i = 0; i < distinct.values.size(); ++i) {
    const auto position = distinct.values[i];
    local_of[i].value = static_cast<std::int32_t>(is_owned(position) ? position - first : owned + ghosts++);
  }

  std::vector<std::int64_t> came_at(owned);
  auto& adjacency = graph.adjacency;
  adjacency.row_begin.assign(owned + 1, 0);
  graph.node.resize(owned);
  graph.degree.resize(owned);
  std::int64_t at = 0;
  for (const auto& header : arrived.header) {
    const auto row = static_cast<std::size_t>(header.position.value - first);
    came_at[row] = at;
    at += header.entries;
    adjacency.row_begin[row + 1] = header.entries;
    graph.node[row] = header.node;
    graph.degree[row] = header.degree;
  }
  std::partial_sum(adjacency.row_begin.begin(), adjacency.row_begin.end(), adjacency.row_begin.begin());
  adjacency.column.resize(at);
  adjacency.value.resize(at);
  ParallelFailure failure;
#pragma omp parallel
  {
    std::vector<std::uint64_t> entries;  // place above, bits of the value below
#pragma omp for schedule(dynamic, 512)
    for (std::size_t row = 0; row < came_at.size(); ++row) {
      failure.run([&] {
        const auto begin = static_cast<std::size_t>(adjacency.row_begin[row]);
        entries.resize(adjacency.row_begin[row + 1] - begin);
        for (std::size_t k = 0; k < entries.size(); ++k) {
          const auto from = static_cast<std::size_t>(came_at[row]) + k;
          entries[k] = std::uint64_t{distinct.place[from]} << 32 | std::bit_cast<std::uint32_t>(arrived.value[from]);
        }
        std::ranges::sort(entries);
        for (std::size_t k = 0; k < entries.size(); ++k) {
          adjacency.column[begin + k] = local_of[static_cast<std::int64_t>(entries[k] >> 32)];
          adjacency.value[begin + k] = std::bit_cast<float>(static_cast<std::uint32_t>(entries[k]));
        }
      });
    }
  }
  failure.rethrow();
}

// Splits the owned rows, shard by shard, into those that wait for ghosts and those that do not.
void find_boundary(int rank, ShardGraph& graph) {
  graph.interior_begin.assign(1, 0);
  graph.boundary_begin.assign(1, 0);
  const auto owned = static_cast<std::int32_t>(graph.owned());
  const auto shards = graph.layout.last_shard(rank) - graph.layout.first_shard(rank);
  for (std::int32_t k = 0; k < shards; ++k) {
    for (auto row = graph.shard_first_row(rank, k); row < graph.shard_first_row(rank, k + 1); ++row) {
      const auto begin = graph.adjacency.column.begin();
      const bool waits = std::any_of(begin + graph.adjacency.row_begin[row], begin + graph.adjacency.row_begin[row + 1],
                                     [&](LocalRow column) { return column.value >= owned; });
      (waits ? graph.boundary : graph.interior).emplace_back(static_cast<std::int32_t>(row));
    }
    graph.interior_begin.push_back(std::ssize(graph.interior));
    graph.boundary_begin.push_back(std::ssize(graph.boundary));
  }
}

}  // namespace

std::vector<Position> NodeDirectory::lookup(const Communicator& comm, std::span<const NodeId> nodes) const {
  Distinct wanted;
  comm.attempt([&] {
    wanted = distinct_of(numbers(nodes));
    COHORT_CHECK(wanted.values.empty() || wanted.values.back() < distribution.total(), "a node that does not exist");
  });
  const auto found = IndexPlan(comm, distribution, wanted.values).fetch(std::span<const Position>(position));
  std::vector<Position> result;
  result.reserve(nodes.size());
  for (const auto place : wanted.place) result.push_back(found[place]);
  return result;
}

ShardedGraph distribute(const Communicator& comm, const BlockGraph& blocks, std::span<const std::int32_t> shard_of,
                        const Distribution& shards_of_rank) {
  COHORT_CHECK(std::ssize(shard_of) == blocks.rows() && shards_of_rank.ranks() == comm.size());
  COHORT_CHECK(shards_of_rank.total() <= std::numeric_limits<std::int32_t>::max());
  check_symmetry(comm, blocks);
  ShardedGraph result;
  auto& graph = result.graph;
  graph.users = blocks.users;
  graph.items = blocks.nodes() - blocks.users;
  graph.layout.shards_of_rank = shards_of_rank;
  result.directory.distribution = blocks.distribution;
  result.directory.position = assign_positions(comm, shard_of, graph.layout);
  graph.positions = graph.layout.positions_of_rank();

  auto arrived = send_rows(comm, blocks, result.directory, graph.positions);
  const std::int64_t first = graph.positions.begin(comm.rank());
  const std::int64_t owned = graph.positions.count(comm.rank());
  comm.attempt([&] { place_rows(std::move(arrived), first, owned, graph); });
  graph.halo = plan_fetch(comm, graph.positions, graph.ghost);
  const auto ghost_node =
      IndexPlan(comm, graph.positions, numbers(graph.ghost)).fetch(std::span<const NodeId>(graph.node));
  graph.node.insert(graph.node.end(), ghost_node.begin(), ghost_node.end());
  comm.attempt([&] { find_boundary(comm.rank(), graph); });
  return result;
}

}  // namespace cohort
