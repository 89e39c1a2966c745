// Moving rows of matrices between ranks, by a plan (exchange_plan.hpp): start, progress, finish. The halo exchange
// moves only what cannot be read where it lies (halo_matrix.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/exchange_plan.hpp"
#include "comm/halo_matrix.hpp"
#include "core/matrix.hpp"

namespace cohort {

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
  /// Makes the ghosts of a matrix readable. Neighbours read the owned rows from the moment on that they have finished;
  /// rows that they read must not be written before this rank has finished another exchange with its neighbours, by
  /// start or by meet.
  void start(const HaloLayout& layout, HaloMatrix& matrix);
  /// Part of the exchange under way: finishes no sooner than all neighbours have started theirs, so have done with what
  /// they read before.
  void meet(const HaloLayout& layout);
  /// Lets MPI make progress; true once everything has come. Main thread only. Local.
  bool progress();
  /// Waits. Returns the seconds spent waiting.
  double finish();

  /// Of rows that others got of this rank, by messages or where they lie, since construction.
  std::int64_t bytes_sent() const { return bytes_sent_; }

 private:
  void send(const ExchangePlan& plan, ConstMatrixView source, float* destination);

  Communicator comm_;
  std::int64_t columns_;
  std::int64_t stride_;
  MPI_Datatype row_type_{};
  std::vector<float> packed_;
  std::vector<MPI_Request> requests_;
  std::int64_t bytes_sent_ = 0;
};

}  // namespace cohort
