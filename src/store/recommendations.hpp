// /users/recommendations and /segments/recommendations of segments.h5.
#pragma once

#include <cstdint>
#include <optional>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "result/recommendations.hpp"
#include "store/h5.hpp"

namespace cohort {

/// Collective, as below.
void write_recommendations(h5::Writer& file, const Recommendations& recommendations);

/// nullopt where `recommend` has not run. Throws InputError: damaged, items that the file does not have.
std::optional<Recommendations> read_recommendations(const Communicator& comm, const h5::Reader& file,
                                                    const Distribution& users, std::int64_t items,
                                                    std::int64_t segments);

}  // namespace cohort
