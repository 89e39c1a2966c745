// The memory of every stage in a plan, stages run as commands of their own.
#pragma once

#include <cstdint>

#include "cli/session.hpp"
#include "cli/stages/plan_stage.hpp"
#include "cli/stages/stage_memory.hpp"
#include "graph/rank_shares.hpp"
#include "model/node_features.hpp"
#include "train/positives.hpp"

namespace cohort {

/// What a plan is made from, whatever the number of ranks.
struct PlanInputs {
  Config config;
  ModelConfig model;
  TrainConfig train;
  EncoderKind encoder = EncoderKind::lightgcn;
  InputFeatures features;
  std::int64_t feature_entries = 0;  ///< of all processes, as all below
  std::int64_t all_positives = 0;
  bool learns_rows = true;        ///< the model has rows that it learned of all nodes
  std::int64_t reader_bytes = 0;  ///< of a process that has read graph.h5, without what it read
  std::int64_t nodes = 0;
  std::int64_t dataset_bytes = 0;
  std::int64_t feature_bytes = 0;  ///< of it, tables of features
  std::int64_t held_bytes = 0;     ///< of the tables that are made once more where something is held back to choose by,
                                   ///< but for features
  BlockSizes blocks;               ///< of one rank that has everything
  bool chooses = false;            ///< training tries out settings first
  int threads = 1;
};

/// features must outlive what is returned. Collective.
PlanInputs plan_inputs(const Session& session, const Dataset& dataset, const Positives& positives,
                       const NodeFeatures& features);

/// Fills the stages of result.ranks ranks. Local.
void plan_memory(const RankShares& shares, const PlanInputs& inputs, const TrainingPlan& plan, RankPlan& result);

}  // namespace cohort
