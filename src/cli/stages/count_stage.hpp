// How many segments there are, where segment.count leaves it to the data.
#pragma once

#include <cstdint>

#include "cli/session.hpp"
#include "cluster/kmeans.hpp"
#include "result/provenance.hpp"

namespace cohort {

/// Throws InputError where segment.count (or count_min) asks for more segments than there are users. Local.
void check_count(const Config& config, std::int64_t users);

/// The number of segments between segment.count_min and count_max that the points have (cluster/count_choice.hpp), 1
/// where they have none; says why. options: all but the count. Fills `tried`, as history/count keeps it. Collective.
std::int64_t settle_count(const Session& session, const PointSet& points, const KmeansOptions& options,
                          CandidateTable& tried);

}  // namespace cohort
