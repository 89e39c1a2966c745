// train.initial: rows, weights and centres of another run, by id, as what training starts from.
#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"
#include "data/dataset.hpp"
#include "graph/shard_graph.hpp"
#include "train/initial_state.hpp"

namespace cohort {

/// What another run left, and the files that it is in.
struct InitialRun {
  InitialState state;
  std::vector<InputFile> files;  ///< its model.h5, and the graph.h5 beside it that says whose the rows are
};

/// Throws InputError, before anything is made, where train.initial is set and cannot be followed: no model, one of
/// another encoder or of other widths, no graph.h5 beside it. Collective.
void check_initial(const Session& session);

/// Rows by original id, for nodes that the other run did not know the mean of their neighbours' rows; says how many of
/// which there are. columns: of the embedding; rows_are_learned: whether the network reads rows, not features. Throws
/// InputError as check_initial, and where matrices have other shapes. Collective.
InitialRun read_initial(const Session& session, const Dataset& dataset, const ShardGraph& graph, std::int64_t columns,
                        bool rows_are_learned);

/// Why a model that followed `follows` is none of this configuration: "" where it is, or where that cannot be told
/// since the other run is no longer there. Collective.
std::string why_other_initial(const Session& session, const std::vector<InputFile>& follows);

}  // namespace cohort
