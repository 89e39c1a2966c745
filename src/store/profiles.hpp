// What characterises segments, in groups of segments.h5: /segments/profile, and those of levels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "result/levels.hpp"
#include "result/profiles.hpp"
#include "store/h5.hpp"

namespace cohort {

/// group: the name of the group that holds them. Collective, as all below.
void write_profiles(const Communicator& comm, h5::Writer& file, const std::string& group, const Profiles& profiles);
void write_additions(const Communicator& comm, h5::Writer& file, const std::string& group, const Additions& additions);

/// How many there are of what the tables of profiles name by number.
struct ProfiledCounts {
  std::int64_t segments = 0;
  std::int64_t users = 0;
  std::int64_t items = 0;
};

/// Nothing where the file has none. Throws InputError where tables do not fit the counts.
std::optional<Profiles> read_profiles(const Communicator& comm, const h5::Reader& file, const std::string& group,
                                      const ProfiledCounts& counts);
std::optional<Additions> read_additions(const Communicator& comm, const h5::Reader& file, const std::string& group,
                                        const ProfiledCounts& counts);

}  // namespace cohort
