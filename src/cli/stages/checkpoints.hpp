// What training goes on from: the newest checkpoint, or by the user's word the one before, or nothing. A checkpoint
// that cannot be used is never passed over in silence, and never overwritten without the user's word.
#pragma once

#include <optional>
#include <string>

#include "cli/stages/pipeline.hpp"

namespace cohort {

/// "KEY is NOW, but was BEFORE" of the first setting in which two configurations differ that decides what is learnt; ""
/// where none does. Local.
std::string first_other_setting(const Config& before, const Config& now);

/// Why a model is not one of this graph and configuration: its settings, its inputs, the graph, the partition, in this
/// order; "" where it is. Without a graph only the settings are looked at, and without a partition all but that. path:
/// the model's. Collective.
std::string why_other_model(const Session& session, const ModelFile& model, const std::string& path,
                            const GraphFile* graph);

/// The checkpoint that training of `target` goes on from; nullopt: from the start. Says what it is where that is not
/// plain. A derived target that does not fit is made anew. Throws InputError where the newest cannot be used and the
/// command does not say what to do instead: why, what would be lost, and what the choices are. Collective.
std::optional<ModelFile> load_checkpoint(const Session& session, const GraphFile& graph, const TrainTarget& target);

/// Throws as load_checkpoint does, before the work of earlier stages is done or overwritten. Without a graph only the
/// settings are looked at, and no matrix is read. Returns whether there is one to go on from. Collective.
bool check_checkpoint(const Session& session, const GraphFile* graph, const TrainTarget& target);

/// Warns where model.h5 is of another graph than the one that is about to be written. Collective.
void warn_of_other_model(const Session& session, const GraphFile& graph);

}  // namespace cohort
