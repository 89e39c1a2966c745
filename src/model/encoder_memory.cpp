#include "model/encoder_memory.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "model/spectral.hpp"

namespace cohort {

namespace {

// Of an entry on its way to the owner of its node: as make_pair_table (data/pair_table.hpp) has it.
constexpr std::int64_t pair_table_moving = 40;

// The columns of the entries once more, where ghosts lie elsewhere.
std::int64_t propagation_bytes(const EncoderSizes& sizes) {
  return sizes.rows.ghosts > 0 ? 4 * sizes.entries : 0;
}

// Two buffers, and where each row stands in a gradient.
MemoryNeed of_lightgcn(const EncoderSizes& sizes, const ModelConfig& model) {
  MemoryNeed memory{4 * sizes.rows.local()};
  memory += halo_memory(sizes.rows, model.dim, std::min<std::int64_t>(model.layers, 2));
  return memory;
}

// As Network::make_layers(), look() and keep_features() have it.
MemoryNeed of_network(const EncoderSizes& sizes, const ModelConfig& model) {
  const auto owned = sizes.rows.owned;
  const bool sage = model.encoder == EncoderKind::sage;
  std::vector<std::int64_t> widths{sizes.feature_columns > 0 ? sizes.feature_columns : model.dim};
  widths.insert(widths.end(), model.widths.begin(), model.widths.end());
  widths.push_back(model.dim);
  MemoryNeed memory;
  std::set<std::int64_t> lanes{model.dim};
  std::set<std::int64_t> products;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const bool by_features = l == 0 && sizes.feature_columns > 0;
    const auto in = widths[l];
    const auto out = widths[l + 1];
    const bool product_first = by_features || out <= in;
    lanes.insert(product_first ? out : in);
    if (product_first) products.insert(out);
    // The gradient by the layer's result; the result, and what it was made of, of every view.
    memory.bytes += owned * row_bytes(out);
    memory.bytes += sizes.views * owned * (row_bytes(out) + (product_first ? 0 : row_bytes(in)));
  }
  for (const auto columns : lanes) {
    memory += halo_memory(sizes.rows, columns, 2);
    if (columns != model.dim) memory.bytes += propagation_bytes(sizes);
  }
  for (const auto columns : products) memory.bytes += owned * row_bytes(columns);
  if (sizes.feature_columns == 0 && widths[1] > widths[0]) memory.bytes += owned * row_bytes(model.dim);
  if (model.smoothings > 0) memory.bytes += owned * row_bytes(model.dim);
  // Values of the entries, of each view too where edges are dropped; degrees and numbers of rows; features.
  const std::int64_t values = 1 + (model.edge_dropout > 0 ? sizes.views : 0);
  const std::int64_t scales = (sage ? 2 : 1) + (model.edge_dropout > 0 ? sizes.views : 0);
  memory.bytes += 4 * values * sizes.entries + 4 * (1 + scales) * owned + 8 * sizes.feature_entries;
  return memory;
}

}  // namespace

HaloRows halo_rows(const Communicator& comm, const ShardGraph& graph) {
  const auto machine = comm.ranks_on_machine();
  HaloRows rows{graph.owned(), std::ssize(graph.ghost)};
  for (std::size_t i = 0; i < graph.halo.receive_from.size(); ++i) {
    if (!std::ranges::binary_search(machine, graph.halo.receive_from[i])) rows.received += graph.halo.rows_from(i);
  }
  return rows;
}

MemoryNeed encoder_memory(const EncoderSizes& sizes, const ModelConfig& model) {
  const bool network = model.encoder == EncoderKind::gcn || model.encoder == EncoderKind::sage;
  auto memory = network ? of_network(sizes, model) : of_lightgcn(sizes, model);
  memory.bytes += propagation_bytes(sizes);
  return memory;
}

std::int64_t node_features_bytes(std::int64_t owned, std::int64_t entries) {
  return 8 * (owned + entries);
}

std::int64_t making_features_bytes(std::int64_t owned, std::int64_t entries, std::int64_t largest) {
  // A row is a list, whose entries are as many again where it has grown, with what the allocator adds.
  constexpr std::int64_t list = 40;
  const auto lists = list * owned + 8 * entries;
  const auto moving = pair_table_moving * largest;
  const auto scaling = 2 * (list * owned + 8 * largest);
  return lists + std::max({moving, scaling, node_features_bytes(owned, entries)});
}

MemoryNeed eigenvectors_memory(const EncoderSizes& sizes, const ModelConfig& model) {
  MemoryNeed memory{propagation_bytes(sizes) + sizes.rows.owned * row_bytes(model.dim)};
  memory += halo_memory(sizes.rows, model.dim + SpectralOptions().oversampling, 2);
  return memory;
}

}  // namespace cohort
