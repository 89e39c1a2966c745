// What training does where the configuration leaves the choice ("auto"): by loss and by the number of users.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/config.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// Steps that softmax plans: in prototypes on six sets of 1,880 to 75,000 users more of them gained nothing but on
/// dense data (docs/algorithms.md).
constexpr std::int64_t planned_steps = 200;
/// Of ns4gc, each of one step over the whole graph; as its authors train on most graphs.
constexpr std::int64_t ns4gc_epochs = 200;
/// k-means' runs at least where ns4gc trained: twenty, a hundred where they cost next to nothing. Its authors make ten.
/// On Cora (2,708 users) a hundred lower the mean inertia of five seeds from 1060.43 to 1060.41.
constexpr std::int64_t ns4gc_restarts(std::int64_t users) {
  return std::clamp<std::int64_t>(300'000 / std::max<std::int64_t>(users, 1), 20, 100);
}
/// Of dmon, each of one step over the whole graph.
constexpr std::int64_t dmon_epochs = 500;
/// Of softmax, where nothing was chosen on held-back interactions.
constexpr double default_temperature = 0.12;
constexpr double default_length_power = 0.25;

/// Columns of mid-sized graphs, and their nodes.
constexpr std::int64_t widened_dim = 128;
constexpr std::int64_t widened_nodes = 20'000;
constexpr std::int64_t most_widened_nodes = 250'000;

/// `train`, whose loss is settled, with every choice made but batch and rate of BPR, which go by the number of
/// positives (train/sampler.hpp and bpr_rate).
///   bpr      100 epochs, from random rows
///   ns4gc    200 epochs of one step, rate 0.001; rows without features start from the spectral embedding
///   dmon     500 epochs of one step, rate 0.001; rows without features start from the spectral embedding
///   softmax  steps planned_steps, or as many epochs as come nearest to them, at least one; batch 2,048 users, or a
///            64th of them if that is more; rate 0.02; from the spectral embedding; temperature 0.12, pairs weigh
///            their user's degree^-1/2, the power of an item's length is 1/4
/// Throws InputError: train.minutes with a loss whose rate follows a planned number of steps. Local.
TrainConfig with_choices(TrainConfig train, std::int64_t users);

/// Of so many epochs, those of the joint phase, which are the last ones; at least one. Local.
std::int64_t joint_epochs(std::int64_t epochs);

/// `model` with its number of columns: where it is "auto", usual_dim, or widened_dim for graphs of widened_nodes (users
/// and items), which are sparser, up to the size above which that would take minutes. Local.
ModelConfig with_width(ModelConfig model, std::int64_t nodes);

/// The rate of BPR for a batch (train/sampler.hpp): 0.001 for 2,048 triples, as LightGCN's authors have it, and in
/// proportion up to 0.005.
double bpr_rate(std::int64_t batch);

/// Cosines leave out what the length of an item's row knows of its popularity: rows z become z |z|^(power - 1), so that
/// <z_u, z_i |z_i|^(power - 1)> has a part of it back (docs/algorithms.md). Local.
void weigh_by_length(MatrixView items, double power);

/// model.encoder, "auto" being spectral where there are no interactions. Local.
EncoderKind encoder_of(const Config& config);

/// Whether it has weights between its layers (model/network.hpp). Local.
bool is_network(EncoderKind encoder);

/// The keys of [train] that are set to something else than their defaults and that nothing looks at: all but the seed
/// where nothing is trained, else those of the other loss. "train.a, train.b"; empty: none. Local.
std::string ignored_settings(const Config& config);

/// How the embedding of users follows from the rows that the model keeps (its parameters E): 1/(L+1) (E_u + ...), as
/// explain/explanation.hpp has it. Of spectral embeddings L is 1, and where there are no interactions, the user's own
/// row does not count. Local.
struct LinearForm {
  std::int64_t layers = 3;
  bool own_rows = true;
};
LinearForm linear_form(const Config& config);

/// Whether users are told apart by the direction of their rows: where segment.method says so, or, where it is "auto",
/// the loss looks at cosines or the embedding is spectral.
bool by_direction(const Config& config);

}  // namespace cohort
