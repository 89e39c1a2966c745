// LightGCN without its floats: the same linear operator on few columns in float64, for explanations, whose parts must
// add up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "graph/shard_graph.hpp"

namespace cohort {

/// Completes values (local_rows x columns, row-major) by the rows of ghosts. Collective.
template <Wire T>
void fill_ghosts(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, std::span<T> values) {
  const auto& halo = graph.halo;
  const auto width = static_cast<std::size_t>(columns);
  std::vector<T> outgoing;
  std::vector<std::int64_t> begin(static_cast<std::size_t>(comm.size()) + 1, 0);
  comm.attempt([&] {
    outgoing.reserve(halo.send_rows.size() * width);
    for (const auto row : halo.send_rows) {
      const auto from = values.subspan(static_cast<std::size_t>(row) * width, width);
      outgoing.insert(outgoing.end(), from.begin(), from.end());
    }
    for (std::size_t i = 0; i < halo.send_to.size(); ++i) {
      begin[static_cast<std::size_t>(halo.send_to[i]) + 1] = (halo.send_begin[i + 1] - halo.send_begin[i]) * columns;
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
  });
  // Ghosts stand by owner, as what comes does.
  const auto came = comm.exchange(std::span<const T>(outgoing), std::span<const std::int64_t>(begin)).data;
  COHORT_CHECK(std::ssize(came) == std::ssize(graph.ghost) * columns);
  std::ranges::copy(came, values.begin() + graph.owned() * columns);
}

/// S = sum over l < terms of Ahat^l base (He et al. 2020, eq. 7 without its mean), by Horner's rule; zero for terms =
/// 0. base: owned x columns, row-major. Returns local_rows x columns, the ghosts' rows included. A row adds its
/// neighbours in the order of their positions, so the bits do not depend on the ranks. Collective.
std::vector<double> linear_response(const Communicator& comm, const ShardGraph& graph, std::span<const double> base,
                                    std::int64_t columns, std::int64_t terms);

}  // namespace cohort
