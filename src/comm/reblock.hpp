// Moving rows from one set of contiguous blocks to another: between tables of all nodes, of users and of items.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// `rows`: this rank's block of a matrix distributed as `from`. Returns this rank's block, by `to`, of the rows that
/// start at global row `first`: rank r gets rows first + to.begin(r) .. first + to.end(r). Collective.
Matrix reblock(const Communicator& comm, ConstMatrixView rows, const Distribution& from, std::int64_t first,
               const Distribution& to);

}  // namespace cohort
