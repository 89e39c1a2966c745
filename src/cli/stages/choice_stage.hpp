// What of [train] is "auto" for softmax and no rule settles: the temperature, what a pair weighs, and the power of an
// item's length that it is ranked by. Chosen on interactions that are held back from the training's (those of
// recommend/blend.hpp; the hold-out of `evaluate` is never looked at), by the NDCG@20 of embeddings that are trained
// without them.
#pragma once

#include <cstdint>

#include "cli/session.hpp"
#include "core/config.hpp"
#include "result/provenance.hpp"
#include "store/graph_file.hpp"

namespace cohort {

/// Interactions above which training once more, to choose on what it has not seen, takes too long.
constexpr std::int64_t most_trained_again = 10'000'000;

/// Whether choose_training() trains candidates, if anything can be held back. item_nodes: the graph has nodes that are
/// items; interactions: of all ranks. Local.
bool trains_to_choose(const TrainConfig& train, bool item_nodes, std::int64_t interactions);

/// What was tried, a row for each candidate, and which of them `chosen` marks: History::choice of what is trained with
/// it. One row where there was nothing to choose; no columns for a loss that has none of this. Costs at most what the
/// training does: up to four candidates, each with a quarter of its epochs and the whole schedule of the learning rate.
/// Throws Interrupted where a rank was asked to end. Collective.
CandidateTable choose_training(const Session& session, const GraphFile& graph);

/// `train` with the candidate that `table` marks. Throws InputError where it is no such table. Local.
TrainConfig with_chosen(TrainConfig train, const CandidateTable& table);

}  // namespace cohort
