// Moving rows from one set of contiguous blocks to another: between tables of all nodes, of users and of items.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// `rows`: this rank's block of a matrix distributed as `from`. Returns this rank's block, by `to`, of the rows that
/// start at global row `first`: rank r gets rows first + to.begin(r) .. first + to.end(r). Collective.
Matrix reblock(const Communicator& comm, ConstMatrixView rows, const Distribution& from, std::int64_t first,
               const Distribution& to);

/// Where this rank's block of `from` is cut for the blocks of `to`, whose index 0 is index `first` of `from`: P + 1
/// offsets into the block. Local.
std::vector<std::int64_t> block_cuts(const Distribution& from, int rank, std::int64_t first, const Distribution& to);

/// The same as above for one value an index, from 0 on. Collective.
template <Wire T>
std::vector<T> reblock(const Communicator& comm, std::span<const T> values, const Distribution& from,
                       const Distribution& to) {
  COHORT_CHECK(std::ssize(values) == from.count(comm.rank()) && from.total() == to.total());
  const auto begin = block_cuts(from, comm.rank(), 0, to);
  return comm.exchange(values, std::span<const std::int64_t>(begin)).data;
}

}  // namespace cohort
