// Values of the rows of ghosts from their owners: for what is sent too seldom, or is too narrow, for a HaloMatrix.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/ragged.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// Completes values (local_rows x columns, row-major) by the rows of ghosts. Collective.
template <Wire T>
void fill_ghosts(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, std::span<T> values) {
  const auto& halo = graph.halo;
  const auto width = static_cast<std::size_t>(columns);
  std::vector<T> outgoing;
  std::vector<std::int64_t> begin(comm.size() + 1, 0);
  comm.attempt([&] {
    outgoing.reserve(halo.send_rows.size() * width);
    for (const auto row : halo.send_rows) {
      const auto from = values.subspan(row * width, width);
      outgoing.insert(outgoing.end(), from.begin(), from.end());
    }
    for (std::size_t i = 0; i < halo.send_to.size(); ++i) {
      begin[halo.send_to[i] + 1] = (places_of(halo.send_begin, i).size()) * columns;
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
  });
  // Ghosts stand by owner, as what comes does.
  const auto came = comm.exchange(std::span<const T>(outgoing), std::span<const std::int64_t>(begin)).data;
  COHORT_CHECK(std::ssize(came) == std::ssize(graph.ghost) * columns);
  std::ranges::copy(came, values.begin() + graph.owned() * columns);
}

}  // namespace cohort
