// What training needs on a rank, estimated before it is allocated.
#include "train/training_memory.hpp"

#include <algorithm>
#include <cmath>

#include "model/encoder_memory.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

// Rows of a step, packed for other machines; lists by row.
MemoryNeed softmax_memory(const TrainingSizes& sizes, const ModelConfig& model) {
  MemoryNeed memory{(sizes.rows.local() + sizes.messages) * row_bytes(model.dim)};
  memory.bytes += 24 * sizes.rows.local() + 40 * sizes.rows.owned;
  memory += halo_memory(sizes.rows, model.dim, 1);
  return memory;
}

// Of both views: rows, directions, sums over neighbours.
MemoryNeed ns4gc_memory(const TrainingSizes& sizes, const ModelConfig& model) {
  MemoryNeed memory{(4 * sizes.rows.owned + sizes.messages) * row_bytes(model.dim)};
  memory.bytes += 40 * sizes.rows.owned + 8 * sizes.entries;
  memory += halo_memory(sizes.rows, model.dim, 2);
  return memory;
}

// How many of `all` rows some draws meet, of which none is likelier than another.
std::int64_t different(std::int64_t draws, std::int64_t all) {
  if (all == 0) return 0;
  const auto rows = static_cast<double>(all);
  return static_cast<std::int64_t>(rows * -std::expm1(-static_cast<double>(draws) / rows));
}

MemoryNeed bpr_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks) {
  const std::int64_t owned = sizes.rows.owned;
  const std::int64_t mine = sizes.positives;
  const std::int64_t total = sizes.all_positives;
  const std::int64_t batch = std::min(batch_size(train.batch, total), total);
  // This rank's part of a step, six standard deviations above the mean.
  const double expected =
      total == 0 ? 0.0 : static_cast<double>(batch) * static_cast<double>(mine) / static_cast<double>(total);
  const auto triples = std::min(batch, static_cast<std::int64_t>(expected + 6 * std::sqrt(expected)) + 64);
  const std::int64_t chunk =
      std::min(std::max(triples, std::min(steps_at_a_time * triples, triples_at_a_time + triples)), mine + triples);
  // Embedding and gradient of a step's different rows, own ones and ghosts; those of other ranks, fetched and sent; a
  // gradient for each of their parts in triples, packed and not, and what comes of those.
  const std::int64_t remote = 2 * triples * (ranks - 1) / ranks;
  const std::int64_t fetched = different(remote, owned * (ranks - 1));
  const std::int64_t step_rows =
      2 * different(3 * triples, owned) + different(3 * triples, sizes.rows.ghosts) + 2 * fetched + 3 * remote;
  // Order and positions of the positives; a triple with its plan; marks of rows.
  return {(step_rows + sizes.messages) * row_bytes(model.dim) + 48 * mine + 160 * chunk + 24 * owned};
}

MemoryNeed objective_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks) {
  switch (train.loss) {
    case LossKind::bpr:
      return bpr_memory(sizes, model, train, ranks);
    case LossKind::ns4gc:
      return ns4gc_memory(sizes, model);
    case LossKind::dmon:  // soft_segment_bytes() has it
      return {sizes.rows.local() * row_bytes(model.dim)};
    case LossKind::softmax:
    case LossKind::automatic:
      break;
  }
  return softmax_memory(sizes, model);
}

// The embedding and what the optimiser has of rows, on its way to blocks of nodes: all that has arrived, and once more
// what is sent and comes.
std::int64_t result_bytes(const TrainingSizes& sizes, const ModelConfig& model) {
  const std::int64_t matrices = sizes.feature_columns > 0 ? 1 : 4;
  const std::int64_t under_way = 2 * model.dim * static_cast<std::int64_t>(sizeof(float));
  return sizes.rows.owned * (matrices * row_bytes(model.dim) + under_way + 32);
}

}  // namespace

std::int64_t positives_bytes(std::int64_t positives, std::int64_t owned) {
  return 8 * positives + 24 * owned;
}

MemoryNeed training_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks) {
  auto memory = objective_memory(sizes, model, train, ranks);
  const std::int64_t views = (train.loss == LossKind::ns4gc ? 2 : 1) + (train.joint ? 1 : 0);
  const EncoderSizes encoder{sizes.rows, sizes.entries, sizes.feature_columns, sizes.feature_entries, views};
  memory += encoder_memory(encoder, model);
  const bool learns_rows = sizes.feature_columns == 0;
  // Parameters and their two moments; the gradient of the views before.
  if (learns_rows) memory += halo_memory(sizes.rows, model.dim, 1);
  memory.bytes += (learns_rows ? (views > 1 ? 3 : 2) : 1) * sizes.rows.owned * row_bytes(model.dim);
  // Of what comes one after the other, the most.
  MemoryNeed most{result_bytes(sizes, model)};
  if (learns_rows && train.start == StartKind::spectral) most = larger(most, eigenvectors_memory(encoder, model));
  memory += most;
  return memory;
}

std::int64_t training_bytes(const Communicator& comm, const ShardGraph& graph, const Positives& positives,
                            const ModelConfig& model, const TrainConfig& train, const InputFeatures& features) {
  const auto machine = comm.ranks_on_machine();
  TrainingSizes sizes{halo_rows(comm, graph)};
  for (std::size_t i = 0; i < graph.halo.send_to.size(); ++i) {
    if (std::ranges::binary_search(machine, graph.halo.send_to[i])) continue;
    sizes.messages += std::ssize(graph.halo.rows_to(i));
  }
  sizes.entries = std::ssize(graph.adjacency.column);
  sizes.positives = std::ssize(positives.node);
  sizes.all_positives = positives.total;
  sizes.feature_columns = features.columns;
  sizes.feature_entries = std::ssize(features.rows.column);
  return training_memory(sizes, model, train, comm.size()).bytes;
}

std::int64_t input_weight_bytes(const InputFeatures& features, const ModelConfig& model, int threads) {
  const std::int64_t width = padded_stride(model.widths.empty() ? model.dim : model.widths.front());
  const std::int64_t matrices = model.encoder == EncoderKind::sage ? 2 : 1;
  const auto partials = static_cast<std::int64_t>(8 * sizeof(double)) * (threads + 1);
  return features.columns * width * (matrices * 9 * static_cast<std::int64_t>(sizeof(float)) + partials);
}

std::int64_t soft_segment_bytes(const HaloRows& rows, const ModelConfig& model, const TrainConfig& train,
                                std::int64_t segments) {
  if (train.loss != LossKind::dmon && !train.joint) return 0;
  const std::int64_t shares = padded_stride(segments) * (2 * rows.owned + rows.local());
  const std::int64_t embedding = padded_stride(model.dim) * 4 * rows.owned;
  const std::int64_t centres = padded_stride(segments) * padded_stride(model.dim) * 8;
  return static_cast<std::int64_t>(sizeof(float)) * (shares + embedding + centres);
}

void need_training_memory(const Communicator& comm, const ShardGraph& graph, const Positives& positives,
                          const TrainOptions& options) {
  MemoryParts parts;
  parts.add(training_bytes(comm, graph, positives, options.model, options.train, options.features),
            "a smaller model.dim");
  parts.add(input_weight_bytes(options.features, options.model, options.threads), "fewer columns of features");
  parts.add(
      soft_segment_bytes({graph.owned(), std::ssize(graph.ghost)}, options.model, options.train, options.segment.count),
      "a smaller segment.count");
  need_memory(comm, "training", parts);
}

}  // namespace cohort
