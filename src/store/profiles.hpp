// /segments/profile of segments.h5.
#pragma once

#include <cstdint>
#include <optional>

#include "comm/communicator.hpp"
#include "result/profiles.hpp"
#include "store/h5.hpp"

namespace cohort {

/// Collective.
void write_profiles(const Communicator& comm, h5::Writer& file, const Profiles& profiles);

/// How many there are of what the tables of profiles name by number.
struct ProfiledCounts {
  std::int64_t segments = 0;
  std::int64_t users = 0;
  std::int64_t items = 0;
};

/// Nothing where the file has none. Throws InputError where tables do not fit the counts. Collective.
std::optional<Profiles> read_profiles(const Communicator& comm, const h5::Reader& file, const ProfiledCounts& counts);

}  // namespace cohort
