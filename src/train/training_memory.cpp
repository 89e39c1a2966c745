// What training needs on a rank, estimated before it is allocated.
#include "train/training_memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/memory.hpp"
#include "model/spectral.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

std::string in_gigabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / 0x1p30);
  return text;
}

// Parameters, the propagation's buffers, z or its gradient, z / |z|; two moments and a checkpoint's four matrices. The
// spectral start needs a block of a few more columns before any of the latter is there.
std::int64_t softmax_bytes(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train) {
  const std::int64_t row = padded_stride(model.dim) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t local = sizes.local();
  const std::int64_t owned = sizes.owned;
  const std::int64_t layers = std::min<std::int64_t>(model.layers, 2);
  const std::int64_t training = row * ((3 + layers) * local + (2 + 4 + 1) * owned + sizes.sent_rows);
  const std::int64_t block =
      padded_stride(model.dim + SpectralOptions().oversampling) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t start = train.start == StartKind::spectral ? 2 * block * local + 2 * row * owned : 0;
  return training + start + 40 * local + 4 * sizes.entries;
}

// What a network has beside: what each layer keeps for the backward pass, of each view, its gradient, and what its
// products and their halos are made in.
std::int64_t network_bytes(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train) {
  const std::int64_t views = (train.loss == LossKind::ns4gc ? 2 : 1) + (train.joint ? 1 : 0);
  std::int64_t widths = padded_stride(model.dim);
  for (const auto width : model.widths) widths += padded_stride(width);
  const auto bytes = static_cast<std::int64_t>(sizeof(float));
  return bytes * (widths * ((2 * views + 3) * sizes.owned + 2 * sizes.local()) + (views + 3) * sizes.entries);
}

std::int64_t without_layers(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks) {
  if (train.loss != LossKind::bpr) return softmax_bytes(sizes, model, train);
  const std::int64_t row = padded_stride(model.dim) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t owned = sizes.owned;
  const std::int64_t local = sizes.local();
  const std::int64_t mine = sizes.positives;
  const std::int64_t total = sizes.all_positives;
  const std::int64_t batch = std::min(batch_size(train.batch, total), total);
  // This rank's part of a step, six standard deviations above the mean.
  const double expected =
      total == 0 ? 0.0 : static_cast<double>(batch) * static_cast<double>(mine) / static_cast<double>(total);
  const auto triples = std::min(batch, static_cast<std::int64_t>(expected + 6 * std::sqrt(expected)) + 64);
  const std::int64_t chunk = std::max(triples, std::min(steps_at_a_time * triples, triples_at_a_time + triples));

  // Parameters and the propagation's buffers; two moments; a checkpoint's four matrices, of which one is on its way to
  // another order; the packed halo. On a machine of several ranks ghosts take no room: then this is more than is
  // needed.
  const std::int64_t rows =
      (1 + std::min<std::int64_t>(model.layers, 2)) * local + (2 + 4 + 1) * owned + sizes.sent_rows;
  // Embedding and gradient of a step; rows that go to other ranks and come from them, packed and not.
  const std::int64_t touched = std::min(owned, 3 * triples);
  const std::int64_t step_rows = 2 * touched + (ranks == 1 ? 0 : std::min(local - owned, 3 * triples) + 10 * triples);
  // Order and positions of the positives; a triple with its plan; marks of rows; where the graph's columns lie.
  return row * (rows + step_rows) + 48 * mine + 160 * chunk + 24 * owned + 4 * local + 4 * sizes.entries;
}

}  // namespace

std::int64_t training_bytes(const ShardGraph& graph, const Positives& positives, const ModelConfig& model,
                            const TrainConfig& train, int ranks) {
  return training_bytes({graph.owned(), std::ssize(graph.ghost), graph.halo.sent_rows(),
                         std::ssize(graph.adjacency.column), std::ssize(positives.node), positives.total},
                        model, train, ranks);
}

std::int64_t training_bytes(const TrainingSizes& sizes, const ModelConfig& model, const TrainConfig& train, int ranks) {
  return without_layers(sizes, model, train, ranks) +
         (is_network(model.encoder) ? network_bytes(sizes, model, train) : 0);
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
