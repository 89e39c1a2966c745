#include "ingest/rules/decay.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr double seconds_of_day = 86'400;
// Seconds since 1970 get here in the year 5138; milliseconds were here in 1973.
constexpr double beyond_seconds = 1e11;

}  // namespace

std::int64_t decay_weights(const Communicator& comm, LocalPairs& pairs, double half_life) {
  double latest = -std::numeric_limits<double>::infinity();
  for (const auto time : pairs.time) latest = std::max(latest, time);
  latest = comm.max(latest);
  if (latest > beyond_seconds) {
    throw InputError("graph.half_life counts days of 86,400 seconds, but the latest time of the interactions is " +
                     std::to_string(latest) +
                     ", which looks like milliseconds; leave input.time_unit at \"auto\", or say there what they are");
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pairs.weight.size(); ++i) {
    const auto age = (latest - pairs.time[i]) / (half_life * seconds_of_day);
    const auto weight = static_cast<float>(static_cast<double>(pairs.weight[i]) * std::exp2(-age));
    if (weight < std::numeric_limits<float>::min()) continue;
    pairs.first[kept] = pairs.first[i];
    pairs.second[kept] = pairs.second[i];
    pairs.weight[kept] = weight;
    pairs.time[kept] = pairs.time[i];
    ++kept;
  }
  const auto dropped = static_cast<std::int64_t>(pairs.weight.size() - kept);
  pairs.first.resize(kept);
  pairs.second.resize(kept);
  pairs.weight.resize(kept);
  pairs.time.resize(kept);
  return comm.sum(dropped);
}

}  // namespace cohort
