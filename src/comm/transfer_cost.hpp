// How long messages and sums over all ranks take, by the two numbers of a network. For predictions; local.
#pragma once

#include <cstdint>

#include "comm/distribution.hpp"

namespace cohort {

/// Between any two ranks, whatever the others do at the same time.
struct Interconnect {
  double bytes_per_second = 4e9;
  double latency = 1e-6;  ///< seconds
};

/// Rows to and from `neighbours` ranks: `bytes` one way, what comes the other way at the same time.
double exchange_seconds(const Interconnect& network, std::int64_t neighbours, std::int64_t bytes);

/// A sum over all ranks of `bytes`, element by element: halves are exchanged, then gathered (Rabenseifner 2004), in
/// twice the logarithm of the ranks.
double sum_seconds(const Interconnect& network, std::int64_t ranks, std::int64_t bytes);
/// What a rank sends in it.
std::int64_t sum_bytes(std::int64_t ranks, std::int64_t bytes);

/// What `rank` of the layout's sends to the others in a ShardSum (comm/shard_sum.hpp) of `width` numbers.
std::int64_t shard_sum_bytes(const ShardLayout& layout, int rank, std::int64_t width);
/// How long one takes in which a rank sends `bytes`: a message to every other rank, and the result around.
double shard_sum_seconds(const Interconnect& network, std::int64_t ranks, std::int64_t bytes);

}  // namespace cohort
