// Features of users or items in graph.h5. Internal to store/.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "store/h5.hpp"

namespace cohort {

/// of: "user" or "item". Collective.
void write_features(const Communicator& comm, h5::Writer& file, const std::string& of,
                    const std::vector<FeatureTable>& tables);

/// Rows by `blocks`; as many as the file has. Throws InputError where they are not what they must be. Collective.
std::vector<FeatureTable> read_features(const Communicator& comm, const h5::Reader& file, const std::string& of,
                                        const Distribution& blocks);

}  // namespace cohort
