// /users/recommendations and /segments/recommendations of segments.h5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

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

/// How many segments, items a list, and items there are.
struct ListCounts {
  std::int64_t segments = 0;
  std::int64_t length = 0;
  std::int64_t items = 0;
};

/// The lists of segments, in the group of that name. Throws InputError as above.
void write_segment_lists(h5::Writer& file, const std::string& group, const SegmentLists& lists, std::int64_t count);
SegmentLists read_segment_lists(const Communicator& comm, const h5::Reader& file, const std::string& group,
                                const ListCounts& counts);

}  // namespace cohort
