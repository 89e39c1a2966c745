// What a partition is like, for the log and for `partition`'s output. Local.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "partition/partition.hpp"

namespace cohort {

void log_partition(const PartitionStats& stats);
std::string partition_table(const PartitionStats& stats);
nlohmann::ordered_json partition_json(const PartitionStats& stats);

}  // namespace cohort
