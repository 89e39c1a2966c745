// Which rows a rank wants of others, and who therefore sends what to whom: built once, used by every exchange
// (row_exchange.hpp), in place of which rows of the same machine may be read where they lie (halo_matrix.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/ids.hpp"
#include "core/ragged.hpp"

namespace cohort {

/// What this rank sends and receives in one exchange. Only ranks with something to say are listed.
struct ExchangePlan {
  std::vector<int> send_to;                 ///< ranks, ascending
  std::vector<std::int64_t> send_begin;     ///< send_to.size() + 1 offsets into send_rows
  std::vector<std::int32_t> send_rows;      ///< rows of the source matrix
  std::vector<int> receive_from;            ///< ranks, ascending
  std::vector<std::int64_t> receive_begin;  ///< receive_from.size() + 1: rows of the destination, contiguous by sender

  std::span<const std::int32_t> rows_to(std::size_t i) const { return list_of(std::span(send_rows), send_begin, i); }
  std::int64_t rows_from(std::size_t i) const { return places_of(receive_begin, i).size(); }
  std::int64_t sent_rows() const { return send_begin.empty() ? 0 : send_begin.back(); }
  std::int64_t received_rows() const { return receive_begin.empty() ? 0 : receive_begin.back(); }
};

/// The plan that brings the rows of `wanted` positions (ascending, none owned by this rank; repeats allowed) from
/// their owners, into destination rows 0, 1, ... in that order. Source rows are counted from the owner's first
/// position. Collective.
ExchangePlan plan_fetch(const Communicator& comm, const Distribution& owners, std::span<const Position> wanted);

}  // namespace cohort
