// Names of users and items beside their ids, for explanations.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// A name for each user and each item of this rank's blocks of the result; "" where none is known, no entries where
/// none of them has one.
struct NodeLabels {
  std::vector<std::string> users;
  std::vector<std::string> items;
  std::string neighbour = "friend";  ///< what a user is to another whose neighbour it is in the graph
};

/// From the tables of attributes that the result was made with, as long as they are where they were and say the same;
/// else the names that the profiles hold, of items. Collective.
NodeLabels node_labels(const Communicator& comm, const Config& config, const SegmentsFile& result);

}  // namespace cohort
