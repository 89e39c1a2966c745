// Moving rows of matrices between ranks. Three things are kept apart: which rows are wanted (a list of positions), who
// sends what to whom (ExchangePlan, built once; its inverse swaps senders and receivers), and moving them
// (RowExchange: start, progress, finish).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// What this rank sends and receives in one exchange. Only ranks with something to say are listed.
struct ExchangePlan {
  std::vector<int> send_to;                 ///< ranks, ascending
  std::vector<std::int64_t> send_begin;     ///< send_to.size() + 1 offsets into send_rows
  std::vector<std::int32_t> send_rows;      ///< rows of the source matrix
  std::vector<int> receive_from;            ///< ranks, ascending
  std::vector<std::int64_t> receive_begin;  ///< receive_from.size() + 1: rows of the destination, contiguous by sender

  std::int64_t sent_rows() const { return send_begin.empty() ? 0 : send_begin.back(); }
  std::int64_t received_rows() const { return receive_begin.empty() ? 0 : receive_begin.back(); }
};

/// The plan that brings the rows of `wanted` positions (ascending, none owned by this rank; repeats allowed) from
/// their owners, into destination rows 0, 1, ... in that order. Source rows are counted from the owner's first
/// position. Collective.
ExchangePlan plan_fetch(const Communicator& comm, const Distribution& owners, std::span<const Position> wanted);

/// Moves rows of `columns` floats by a plan. One exchange at a time: start, then progress as often as wanted while
/// other work is done (Open MPI moves large messages only inside MPI calls), then finish. Between start and finish
/// neither the source rows of the plan nor the destination may be written; other rows of
/// the same matrix may be read. start and finish are collective among the ranks of the plan.
class RowExchange {
 public:
  RowExchange(const Communicator& comm, std::int64_t columns);
  ~RowExchange();
  RowExchange(const RowExchange&) = delete;
  RowExchange& operator=(const RowExchange&) = delete;

  /// Sends the plan's rows of `source`; row k of what comes is written to destination + k * padded_stride(columns).
  /// The plan must outlive the exchange.
  void start(const ExchangePlan& plan, ConstMatrixView source, float* destination);
  /// Lets MPI make progress; true once everything has come. Main thread only. Local.
  bool progress();
  /// Waits. Returns the seconds spent waiting.
  double finish();

  std::int64_t bytes_sent() const { return bytes_sent_; }  ///< since construction

 private:
  Communicator comm_;
  std::int64_t columns_;
  std::int64_t stride_;
  MPI_Datatype row_type_{};
  std::vector<float> packed_;
  std::vector<MPI_Request> requests_;
  std::int64_t bytes_sent_ = 0;
};

}  // namespace cohort
