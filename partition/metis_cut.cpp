#include "partition/metis_cut.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "core/memory.hpp"

namespace cohort {

namespace {

std::string gibibytes(std::int64_t bytes) {
  const auto tenths = static_cast<std::int64_t>(std::ceil(static_cast<double>(bytes) / (1 << 30) * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

// Only rank 0's result has rows. Each rank brings its own part into METIS's integers first, so that rank 0 receives
// straight into what METIS reads.
MetisGraph gather_graph(const Communicator& comm, const BlockGraph& blocks, std::int64_t parts) {
  MetisGraph graph;
  {
    std::vector<idx_t> column(blocks.column.size());
    std::transform(blocks.column.begin(), blocks.column.end(), column.begin(),
                   [](NodeId node) { return static_cast<idx_t>(node.value); });
    graph.column = comm.gather(std::span<const idx_t>(column)).data;
  }
  std::vector<idx_t> degree(blocks.rows());
  std::adjacent_difference(blocks.row_begin.begin() + 1, blocks.row_begin.end(), degree.begin());
  degree = comm.gather(std::span<const idx_t>(degree)).data;
  if (!comm.is_root()) return graph;
  std::vector<std::int64_t> weight;
  graph.row_begin.reserve(degree.size() + 1);
  weight.reserve(degree.size());
  for (const auto d : degree) {
    graph.row_begin.push_back(graph.row_begin.back() + d);
    weight.push_back(1 + std::int64_t{d});
  }
  graph.node_weight = metis_weights(weight, 1.0 / static_cast<double>(parts));
  return graph;
}

}  // namespace

void need_metis_integers(std::int64_t nodes, std::int64_t entries, CutObjective objective) {
  // The volume objective keeps 1 + two node sizes on every entry and adds them up.
  const std::int64_t most = objective == CutObjective::volume ? metis_largest / 3 : metis_largest;
  if (entries <= most && nodes <= metis_largest / 4) return;
  throw InputError("the graph has " + std::to_string(nodes) + " nodes and " + std::to_string(entries) +
                   " adjacency entries, but this build of METIS counts in " + std::to_string(8 * sizeof(idx_t)) +
                   " bits and takes at most " + std::to_string(metis_largest / 4) + " and " + std::to_string(most) +
                   "; use a METIS with 64-bit idx_t, or partition.tool = \"file\" or \"block\"");
}

std::int64_t metis_memory_bytes(std::int64_t nodes, std::int64_t entries, std::int64_t parts, CutObjective objective) {
  // The coarser graphs are kept too, and how fast they become smaller is the graph's own: of two made-up graphs of
  // users and items (17 and 30 entries a node), Gowalla (23) and a graph of users (83), words an entry are 14.3, 14.4,
  // 12.3 and 8.5. This is within 20 % of each.
  const std::int64_t per_entry = objective == CutObjective::volume ? 10 : 9;
  return static_cast<std::int64_t>(sizeof(idx_t)) * (per_entry * entries + 100 * nodes + 64 * parts);
}

std::vector<std::int32_t> metis_cut(const Communicator& comm, const BlockGraph& blocks, std::int64_t parts,
                                    CutObjective objective, std::uint64_t seed) {
  const auto entries = comm.sum(static_cast<std::int64_t>(blocks.column.size()));
  need_metis_integers(blocks.nodes(), entries, objective);
  release_freed_memory();
  comm.attempt([&] {
    if (!comm.is_root()) return;
    const auto need = metis_memory_bytes(blocks.nodes(), entries, parts, objective);
    const auto free = available_memory_bytes();
    if (need > free) {
      throw RunError("METIS on rank 0 needs about " + gibibytes(need) + " for " + std::to_string(blocks.nodes()) +
                     " nodes and " + std::to_string(entries) + " adjacency entries, but its node has " +
                     gibibytes(free) +
                     " left; put fewer ranks on the first node, or use partition.tool = \"file\" or " + "\"block\"");
    }
  });
  auto graph = gather_graph(comm, blocks, parts);
  std::vector<std::int32_t> part_of;
  comm.attempt([&] {
    if (!comm.is_root()) return;
    const auto parts_found = metis_kway(graph, parts, objective, seed);
    part_of.assign(parts_found.begin(), parts_found.end());
  });
  graph = {};
  std::vector<std::int64_t> begin;
  for (int r = 0; r < comm.size(); ++r) begin.push_back(blocks.distribution.begin(r));
  begin.push_back(blocks.nodes());
  return comm.scatter(std::span<const std::int32_t>(part_of), std::span<const std::int64_t>(begin));
}

}  // namespace cohort
