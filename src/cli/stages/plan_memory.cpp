#include "cli/stages/plan_memory.hpp"

#include <algorithm>
#include <vector>

#include "data/dataset_bytes.hpp"
#include "model/encoder_memory.hpp"
#include "train/choices.hpp"
#include "train/sampler.hpp"
#include "train/training_memory.hpp"

namespace cohort {

namespace {

// What a rank has its part of.
std::vector<std::int64_t*> parts_of(BlockSizes& sizes) {
  return {&sizes.users, &sizes.items, &sizes.interactions, &sizes.held_out, &sizes.id_bytes, &sizes.entries};
}

// Of the rank with the largest blocks.
BlockSizes blocks_of(const BlockSizes& all, int ranks) {
  auto blocks = all;
  for (auto* const number : parts_of(blocks)) *number = (*number + ranks - 1) / ranks;
  return blocks;
}

TrainingSizes training_sizes(const RankShare& share, const PlanInputs& inputs, const TrainingPlan& plan) {
  TrainingSizes sizes;
  sizes.rows = {share.owned, share.ghosts, plan.one_machine ? 0 : share.ghosts,
                plan.one_machine ? share.neighbour_rows : 0};
  sizes.messages = plan.one_machine ? 0 : share.sent_rows;
  sizes.entries = share.entries;
  sizes.positives = inputs.all_positives * share.entries / std::max<std::int64_t>(plan.entries, 1);
  sizes.all_positives = inputs.all_positives;
  sizes.feature_columns = inputs.features.columns;
  sizes.feature_entries = inputs.feature_entries * share.owned / plan.nodes;
  return sizes;
}

// What training takes beside the tables and the sharded graph. whole: on all there is, not once more to choose by.
MemoryNeed train_memory(const TrainingSizes& sizes, const StageSizes& stage, const PlanInputs& inputs, int ranks,
                        bool whole) {
  if (inputs.encoder == EncoderKind::spectral) {
    const bool chooses = whole && inputs.blocks.all_items > 0 && !inputs.blocks.users_alone;
    return spectral_memory(stage, inputs.model, chooses ? inputs.held_bytes / ranks : 0);
  }
  auto memory = training_memory(sizes, inputs.model, inputs.train, ranks);
  memory.bytes += positives_bytes(sizes.positives, sizes.rows.owned) +
                  input_weight_bytes(inputs.features, inputs.model, inputs.threads) +
                  soft_segment_bytes(sizes.rows, inputs.model, inputs.train, inputs.config.segment.count);
  return memory;
}

}  // namespace

PlanInputs plan_inputs(const Session& session, const Dataset& dataset, const ShardedGraph& sharded,
                       const Positives& positives, const NodeFeatures& features) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  PlanInputs inputs;
  inputs.config = config;
  inputs.model = with_width(config.model, sharded.graph.users + sharded.graph.items);
  inputs.encoder = encoder_of(config);
  inputs.train =
      inputs.encoder == EncoderKind::spectral ? config.train : with_choices(config.train, dataset.users.total());
  if (inputs.train.learning_rate == 0)
    inputs.train.learning_rate = bpr_rate(batch_size(inputs.train.batch, positives.total));
  inputs.features = features.input();
  inputs.feature_entries = comm.sum(std::ssize(inputs.features.rows.column));
  inputs.all_positives = positives.total;
  inputs.dataset_bytes = comm.sum(bytes_of(dataset));
  const auto interaction_bytes = bytes_of(dataset.interactions);
  // The interactions that are left, twice, with whatever else the graph is made of.
  inputs.held_bytes =
      comm.sum(bytes_of(dataset) - bytes_of(dataset.holdout) - bytes_of(dataset.neighbours) + interaction_bytes);
  inputs.blocks = block_sizes(comm, dataset);
  auto& blocks = inputs.blocks;
  for (auto* const number : parts_of(blocks)) *number = comm.sum(*number);
  inputs.threads = static_cast<int>(session.threads());
  return inputs;
}

void plan_memory(const RankShares& shares, const PlanInputs& inputs, const TrainingPlan& plan, RankPlan& result) {
  const auto& config = inputs.config;
  const int ranks = result.ranks;
  const auto tables = plan.base_bytes + inputs.dataset_bytes / ranks;
  const auto blocks = blocks_of(inputs.blocks, ranks);
  auto& stages = result.stages;
  stages.prepare = plan.base_bytes + prepare_memory(blocks, config.graph, inputs.dataset_bytes / ranks).bytes;
  stages.partition = tables + partition_memory(plan.nodes, plan.entries, plan.shards, ranks, config.partition).bytes;
  const auto with_result = tables + read_result_bytes(blocks, inputs.model, inputs.encoder);
  if (blocks.all_items > 0) stages.recommend = with_result + recommend_bytes(blocks, config, inputs.model);
  stages.evaluate = with_result + read_lists_bytes(blocks, config) + evaluate_bytes(blocks, config, inputs.model);
  const bool again = blocks.all_items > 0 && trains_to_recommend(config.recommend.strategy, inputs.blocks.interactions);
  std::int64_t together = 0;
  std::int64_t most = 0;
  for (const auto& share : shares.rank) {
    const auto sizes = training_sizes(share, inputs, plan);
    const StageSizes stage{sizes.rows, share.users, share.entries};
    const auto graph = graph_bytes(share, plan.nodes / ranks);
    const auto training = train_memory(sizes, stage, inputs, ranks, true);
    const auto own = tables + graph + training.bytes;
    stages.train = std::max(stages.train, own + training.seen_bytes);
    const auto segment = segment_memory(stage, inputs.model, inputs.encoder, blocks.all_items > 0);
    stages.segment = std::max(stages.segment, tables + graph + segment.resident());
    if (again) {
      const auto validation = larger(train_memory(sizes, stage, inputs, ranks, false),
                                     segment_memory(stage, inputs.model, inputs.encoder, false));
      stages.recommend =
          std::max(stages.recommend, with_result + inputs.held_bytes / ranks + graph + validation.resident());
    }
    most = std::max(most, own);
    together += own;
  }
  result.machine_bytes = plan.one_machine ? together : most;
  result.fits = result.machine_bytes <= plan.available_bytes;
}

}  // namespace cohort
