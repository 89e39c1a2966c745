#include "cli/stages/plan_memory.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "cli/stages/choice_stage.hpp"
#include "data/dataset_bytes.hpp"
#include "graph/user_similarity.hpp"
#include "model/encoder_memory.hpp"
#include "train/choices.hpp"
#include "train/sampler.hpp"
#include "train/training_memory.hpp"

namespace cohort {

namespace {

// What a rank has its part of.
std::vector<std::int64_t*> parts_of(BlockSizes& sizes) {
  return {&sizes.users,   &sizes.items,           &sizes.interactions,    &sizes.held_out,      &sizes.id_bytes,
          &sizes.entries, &sizes.feature_entries, &sizes.largest_feature, &sizes.attribute_text};
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

// What learns, without what comes before and after it.
MemoryNeed learning_memory(const TrainingSizes& sizes, const PlanInputs& inputs, const TrainConfig& train, int ranks) {
  auto memory = training_memory(sizes, inputs.model, train, ranks);
  memory.bytes += positives_bytes(sizes.positives, sizes.rows.owned) +
                  input_weight_bytes(inputs.features, inputs.model, inputs.threads) +
                  soft_segment_bytes(sizes.rows, inputs.model, train, inputs.config.segment.count);
  if (sizes.feature_columns > 0) memory.bytes += node_features_bytes(sizes.rows.owned, sizes.feature_entries);
  return memory;
}

// Where there are features, making them comes before the rest and may take more.
MemoryNeed with_making_of_features(const MemoryNeed& memory, const TrainingSizes& sizes, const PlanInputs& inputs,
                                   int ranks) {
  if (sizes.feature_columns == 0) return memory;
  const auto largest = inputs.blocks.largest_feature / ranks;
  return larger(memory, {making_features_bytes(sizes.rows.owned, sizes.feature_entries, largest)});
}

// What training takes beside the tables and the sharded graph.
MemoryNeed train_memory(const TrainingSizes& sizes, const StageSizes& stage, const RankShare& share,
                        const PlanInputs& inputs, int ranks) {
  if (inputs.encoder == EncoderKind::spectral) {
    const bool chooses = inputs.blocks.all_items > 0 && !inputs.blocks.users_alone;
    return spectral_memory(stage, inputs.model, chooses ? inputs.held_bytes / ranks : 0);
  }
  const auto memory =
      with_making_of_features(learning_memory(sizes, inputs, inputs.train, ranks), sizes, inputs, ranks);
  if (!inputs.chooses) return memory;
  // Candidates, on what is not held back, beside the graph and the positives of all there is; before them the entries
  // of their graph on their way to their shards.
  auto without_joint = inputs.train;
  without_joint.joint = false;
  auto candidate = learning_memory(sizes, inputs, without_joint, ranks);
  candidate.bytes += graph_bytes(share, 0);
  candidate = larger(candidate, {graph_bytes(share, 0) + sharding_bytes(sizes.entries)});
  candidate.bytes += inputs.held_bytes / ranks + positives_bytes(sizes.positives, sizes.rows.owned);
  return larger(memory, candidate);
}

// The embedding that `recommend` chooses with, beside the tables and the result: another graph, training and clusters.
MemoryNeed validation_memory(const TrainingSizes& sizes, const StageSizes& stage, const RankShare& share,
                             const PlanInputs& inputs, int ranks) {
  auto memory = inputs.encoder == EncoderKind::spectral ? spectral_memory(stage, inputs.model, 0)
                                                        : learning_memory(sizes, inputs, inputs.train, ranks);
  memory = with_making_of_features(memory, sizes, inputs, ranks);
  memory = larger(memory, {sharding_bytes(sizes.entries)});
  memory = larger(memory, segment_memory(stage, inputs.model, inputs.encoder, false, inputs.learns_rows));
  memory.bytes += graph_bytes(share, inputs.nodes / ranks);
  if (inputs.blocks.users_alone) {
    const auto one = blocks_of(inputs.blocks, ranks);
    memory = larger(memory, {similar_users_bytes(one.users, one.interactions, inputs.config.graph.neighbours)});
    memory.bytes += 12 * sizes.entries;
  }
  memory.bytes += (inputs.held_bytes + inputs.feature_bytes) / ranks;
  return memory;
}

// Of the files of attributes, as far as that is known: what a packed one holds is not. The same on all ranks.
std::int64_t attribute_text(const Communicator& comm, const InputConfig& input) {
  std::int64_t bytes = 0;
  for (const auto* path : {&input.user_attributes, &input.item_attributes}) {
    std::error_code none;
    if (path->empty() || !comm.is_root()) continue;
    const auto size = std::filesystem::file_size(*path, none);
    if (!none) bytes += static_cast<std::int64_t>(size);
  }
  return comm.sum(bytes);
}

// Adds up what the ranks of a stage take.
class StageSum {
 public:
  StageSum(const char* name, bool done, bool one_machine) : one_machine_(one_machine), stage_{name, done} {}

  void add(const MemoryNeed& rank) {
    stage_.bytes = std::max(stage_.bytes, rank.resident());
    stage_.machine_bytes =
        one_machine_ ? stage_.machine_bytes + rank.bytes : std::max(stage_.machine_bytes, rank.bytes);
  }
  const PlannedStage& stage() const { return stage_; }

 private:
  bool one_machine_;
  PlannedStage stage_;
};

}  // namespace

PlanInputs plan_inputs(const Session& session, const Dataset& dataset, const Positives& positives,
                       const NodeFeatures& features) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  PlanInputs inputs;
  inputs.config = config;
  inputs.model = stored_model(config, dataset);
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
  std::int64_t feature_bytes = 0;
  for (const auto* tables : {&dataset.user_features, &dataset.item_features}) {
    for (const auto& table : *tables) feature_bytes += bytes_of(table.rows);
  }
  inputs.feature_bytes = comm.sum(feature_bytes);
  // The interactions that are left, twice, with whatever else the graph is made of.
  inputs.held_bytes = comm.sum(bytes_of(dataset) - feature_bytes - bytes_of(dataset.holdout) -
                               bytes_of(dataset.neighbours) + interaction_bytes);
  inputs.blocks = block_sizes(comm, dataset);
  auto& blocks = inputs.blocks;
  for (auto* const number : parts_of(blocks)) *number = comm.sum(*number);
  blocks.attribute_text = attribute_text(comm, config.input);
  inputs.nodes = dataset.nodes();
  inputs.learns_rows = learns_rows(config, dataset);
  inputs.chooses = inputs.encoder != EncoderKind::spectral &&
                   trains_to_choose(config.train, dataset.has_item_nodes(), blocks.all_interactions);
  inputs.threads = static_cast<int>(session.threads());
  return inputs;
}

void plan_memory(const RankShares& shares, const PlanInputs& inputs, const TrainingPlan& plan, RankPlan& result) {
  const auto& config = inputs.config;
  const int ranks = result.ranks;
  const auto tables = inputs.reader_bytes + inputs.dataset_bytes / ranks;
  const auto blocks = blocks_of(inputs.blocks, ranks);
  const bool items = blocks.all_items > 0;
  const auto& of_strategy = config.recommend;
  const bool filters = items && filters_to_recommend(of_strategy.strategy, blocks.all_users, blocks.all_interactions);
  const bool trains_again = items && trains_to_recommend(of_strategy.strategy, blocks.all_interactions);
  const auto with_result = tables + read_result_bytes(blocks, inputs.model, inputs.encoder);

  const auto stage_of = [&](const char* name, bool done) { return StageSum(name, done, plan.one_machine); };
  auto prepare = stage_of("prepare", true);
  auto partition = stage_of("partition", true);
  auto train = stage_of("train", false);
  auto segment = stage_of("segment", false);
  auto profile = stage_of("profile", false);
  auto recommend = stage_of("recommend", !items);
  auto evaluate = stage_of("evaluate", false);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto& share = shares.rank[rank];
    const auto beside = [&](std::int64_t bytes, MemoryNeed need) {
      need.bytes += bytes;
      return need;
    };
    prepare.add(beside(plan.base_bytes, prepare_memory(blocks, config.graph, inputs.dataset_bytes / ranks)));
    auto cut = config.partition;
    if (rank > 0) cut.tool = PartitionTool::block;
    partition.add(beside(tables, partition_memory(plan.nodes, plan.entries, plan.shards, ranks, cut)));

    const auto sizes = training_sizes(share, inputs, plan);
    const StageSizes stage{sizes.rows, share.users, share.entries};
    const auto graph = graph_bytes(share, plan.nodes / ranks);
    const auto training = train_memory(sizes, stage, share, inputs, ranks);
    train.add(beside(tables + graph, larger(training, {sharding_bytes(share.entries)})));
    segment.add(beside(tables + graph, segment_memory(stage, inputs.model, inputs.encoder, items, inputs.learns_rows)));
    profile.add(beside(with_result, profile_memory(blocks, config).need()));

    // The filter's graph is about the one that is trained on, if that has items.
    std::optional<HaloRows> filter;
    if (filters) filter = blocks.users_alone ? filter_rows(blocks, ranks) : sizes.rows;
    if (items) {
      auto lists = recommend_memory(blocks, config, inputs.model, filter).need();
      if (trains_again) lists = larger(lists, validation_memory(sizes, stage, share, inputs, ranks));
      recommend.add(beside(with_result, lists));
    }
    evaluate.add(beside(with_result + read_lists_bytes(blocks, config),
                        evaluate_memory(blocks, config, inputs.model, filter).need()));
  }
  for (const auto* sum : {&prepare, &partition, &train, &segment, &profile, &recommend, &evaluate}) {
    result.stages.push_back(sum->stage());
  }
}

}  // namespace cohort
