// What training needs on a rank, estimated before it is allocated.
#include "train/training_memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/memory.hpp"
#include "model/encoder_memory.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

std::string in_gigabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / 0x1p30);
  return text;
}

std::int64_t row_bytes(std::int64_t columns) {
  return padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
}

void add_halo(std::int64_t count, const HaloRows& rows, std::int64_t columns, TrainingMemory& memory) {
  memory.bytes += count * rows.bytes(columns);
  memory.seen_bytes += count * rows.seen_bytes(columns);
}

// Rows of a step, packed for other machines; lists by row.
TrainingMemory softmax_memory(const TrainingSizes& sizes, const ModelConfig& model) {
  TrainingMemory memory{(sizes.rows.local() + sizes.messages) * row_bytes(model.dim)};
  memory.bytes += 24 * sizes.rows.local() + 40 * sizes.rows.owned;
  add_halo(1, sizes.rows, model.dim, memory);
  return memory;
}

// Of both views: rows, directions, sums over neighbours.
TrainingMemory ns4gc_memory(const TrainingSizes& sizes, const ModelConfig& model) {
  TrainingMemory memory{(4 * sizes.rows.owned + sizes.messages) * row_bytes(model.dim)};
  memory.bytes += 40 * sizes.rows.owned + 8 * sizes.entries;
  add_halo(2, sizes.rows, model.dim, memory);
  return memory;
}

// How many of `all` rows some draws meet, of which none is likelier than another.
std::int64_t different(std::int64_t draws, std::int64_t all) {
  if (all == 0) return 0;
  const auto rows = static_cast<double>(all);
  return static_cast<std::int64_t>(rows * -std::expm1(-static_cast<double>(draws) / rows));
}

TrainingMemory bpr_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks) {
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

TrainingMemory objective_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train,
                                int ranks) {
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

TrainingMemory training_memory(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train,
                               int ranks) {
  auto memory = objective_memory(sizes, model, train, ranks);
  const std::int64_t views = (train.loss == LossKind::ns4gc ? 2 : 1) + (train.joint ? 1 : 0);
  const EncoderSizes encoder{sizes.rows, sizes.entries, sizes.feature_columns, sizes.feature_entries, views};
  const auto encoding = encoder_memory(encoder, model);
  memory.bytes += encoding.bytes;
  memory.seen_bytes += encoding.seen_bytes;
  const bool learns_rows = sizes.feature_columns == 0;
  // Parameters and their two moments; the gradient of the views before.
  if (learns_rows) add_halo(1, sizes.rows, model.dim, memory);
  memory.bytes += (learns_rows ? (views > 1 ? 3 : 2) : 1) * sizes.rows.owned * row_bytes(model.dim);
  // Of what comes one after the other, the most.
  TrainingMemory most{result_bytes(sizes, model)};
  if (learns_rows && train.start == StartKind::spectral) {
    const auto start = eigenvectors_memory(encoder, model);
    if (start.bytes + start.seen_bytes > most.bytes) most = {start.bytes, start.seen_bytes};
  }
  return {memory.bytes + most.bytes, memory.seen_bytes + most.seen_bytes};
}

std::int64_t training_bytes(const Communicator& comm, const ShardGraph& graph, const Positives& positives,
                            const ModelConfig& model, const TrainConfig& train, const InputFeatures& features) {
  const auto machine = comm.ranks_on_machine();
  const auto is_near = [&](int rank) { return std::ranges::binary_search(machine, rank); };
  TrainingSizes sizes{{graph.owned(), std::ssize(graph.ghost)}};
  for (std::size_t i = 0; i < graph.halo.receive_from.size(); ++i) {
    if (!is_near(graph.halo.receive_from[i])) sizes.rows.received += graph.halo.rows_from(i);
  }
  for (std::size_t i = 0; i < graph.halo.send_to.size(); ++i) {
    if (!is_near(graph.halo.send_to[i])) sizes.messages += std::ssize(graph.halo.rows_to(i));
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

std::int64_t soft_segment_bytes(const ShardGraph& graph, const ModelConfig& model, const TrainConfig& train,
                                std::int64_t segments) {
  if (train.loss != LossKind::dmon && !train.joint) return 0;
  const std::int64_t shares = padded_stride(segments) * (2 * graph.owned() + graph.local_rows());
  const std::int64_t rows = padded_stride(model.dim) * 4 * graph.owned();
  const std::int64_t centres = padded_stride(segments) * padded_stride(model.dim) * 8;
  return static_cast<std::int64_t>(sizeof(float)) * (shares + rows + centres);
}

void check_training_memory(const Communicator& comm, std::int64_t bytes) {
  const std::int64_t together = comm.sum_on_machine(bytes);
  const std::int64_t neighbours = comm.sum_on_machine(1);
  const std::int64_t available = available_memory_bytes();
  comm.attempt([&] {
    if (together <= available) return;
    const double factor = static_cast<double>(together) / static_cast<double>(std::max<std::int64_t>(available, 1));
    const auto ranks = static_cast<std::int64_t>(std::ceil(1.1 * factor * comm.size()));
    throw RunError("training needs about " + in_gigabytes(bytes) + " on rank " + std::to_string(comm.rank()) + " and " +
                   in_gigabytes(together) + " on its machine, which has " + in_gigabytes(available) + " left; about " +
                   std::to_string(ranks) + " ranks, " + std::to_string(neighbours) +
                   " a machine, would do, or a smaller model.dim");
  });
}

}  // namespace cohort
