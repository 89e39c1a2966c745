// What the tables of a dataset take in memory.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace cohort {

/// On this rank. Local.
std::int64_t bytes_of(const Dataset& dataset);
std::int64_t bytes_of(const PairTable& table);
std::int64_t bytes_of(const IdTable& table);

}  // namespace cohort
