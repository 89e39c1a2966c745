// Who is in which segment: by what training left of segments, where it trained them, else by k-means.
#pragma once

#include "cli/session.hpp"
#include "cluster/kmeans.hpp"
#include "store/model_file.hpp"

namespace cohort {

/// points: the users' embeddings. After train.joint every user is assigned to the nearest of the model's centres; after
/// train.loss = "dmon" it is where the trained head gives it the largest share, and segments without a user are left
/// out. Otherwise kmeans() with `options`. Throws InputError where the model lacks what it should have. Collective.
KmeansResult segments_of_model(const Session& session, const ModelFile& model, const PointSet& points,
                               const KmeansOptions& options);

}  // namespace cohort
