#include "comm/row_exchange.hpp"

#include <algorithm>
#include <atomic>
#include <climits>

#include "core/stopwatch.hpp"
#include "core/vector_targets.hpp"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

namespace cohort {

namespace {

// Tags on one communicator.
constexpr int rows_tag = 72;
constexpr int meeting_tag = 73;

// Rows are fetched ahead and written past the caches: whoever reads them next is another core or the network.
void copy_rows(std::span<const std::int32_t> rows, ConstMatrixView source, float* target) {
  namespace hn = hwy::HWY_NAMESPACE;
  constexpr hn::CappedTag<float, 4> quarter;  // of a cache line; less where nothing is vectorised
  constexpr std::int64_t line = 16;
  constexpr std::int64_t ahead = 16;
  const auto count = std::ssize(rows);
#pragma omp parallel if (count > 4096)
  {
#pragma omp for schedule(static) nowait
    for (std::int64_t i = 0; i < count; ++i) {
      const float* const row = source.row(rows[i]);
      const float* const later = source.row(rows[std::min(i + ahead, count - 1)]);
      float* const to = target + i * source.stride;
      for (std::int64_t c = 0; c < source.stride; c += line) {
        hwy::Prefetch(later + c);
        for (std::int64_t part = c; part < c + line; part += static_cast<std::int64_t>(hn::Lanes(quarter))) {
          hn::Stream(hn::Load(quarter, row + part), quarter, to + part);
        }
      }
    }
    hwy::FlushStream();
  }
}

}  // namespace

RowExchange::RowExchange(const Communicator& comm, std::int64_t columns)
    : comm_(comm), columns_(columns), stride_(padded_stride(columns)) {
  check_mpi(MPI_Type_contiguous(static_cast<int>(stride_), MPI_FLOAT, &row_type_), "MPI_Type_contiguous");
  check_mpi(MPI_Type_commit(&row_type_), "MPI_Type_commit");
}

RowExchange::~RowExchange() {
  if (!requests_.empty()) MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  MPI_Type_free(&row_type_);
}

void RowExchange::start(const ExchangePlan& plan, ConstMatrixView source, float* destination) {
  COHORT_CHECK(requests_.empty(), "one exchange at a time");
  send(plan, source, destination);
}

void RowExchange::send(const ExchangePlan& plan, ConstMatrixView source, float* destination) {
  COHORT_CHECK(plan.sent_rows() == 0 || source.stride == stride_);
  for (std::size_t i = 0; i < plan.receive_from.size(); ++i) {
    COHORT_CHECK(plan.rows_from(i) <= INT_MAX);
    check_mpi(MPI_Irecv(destination + plan.receive_begin[i] * stride_, static_cast<int>(plan.rows_from(i)), row_type_,
                        plan.receive_from[i], rows_tag, comm_.native(), &requests_.emplace_back()),
              "MPI_Irecv");
  }
  const auto floats = static_cast<std::size_t>(plan.sent_rows() * stride_);
  if (packed_.size() < floats) packed_.resize(floats);
  for (std::size_t i = 0; i < plan.send_to.size(); ++i) {
    float* const packed = packed_.data() + plan.send_begin[i] * stride_;
    const auto rows = plan.rows_to(i);
    copy_rows(rows, source, packed);
    COHORT_CHECK(std::ssize(rows) <= INT_MAX);
    check_mpi(MPI_Isend(packed, static_cast<int>(rows.size()), row_type_, plan.send_to[i], rows_tag, comm_.native(),
                        &requests_.emplace_back()),
              "MPI_Isend");
  }
  bytes_sent_ += plan.sent_rows() * stride_ * static_cast<std::int64_t>(sizeof(float));
}

void RowExchange::start(const HaloLayout& layout, HaloMatrix& matrix) {
  const auto& messages = layout.messages();
  COHORT_CHECK(requests_.empty(), "one exchange at a time");
  meet(layout);  // first: neighbours need not wait until rows for others are packed
  send(messages, matrix.view(), messages.received_rows() > 0 ? matrix.row(layout.first_received()) : nullptr);
  bytes_sent_ += (layout.sent_rows() - messages.sent_rows()) * stride_ * static_cast<std::int64_t>(sizeof(float));
}

void RowExchange::meet(const HaloLayout& layout) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (const int rank : layout.neighbours()) {
    check_mpi(MPI_Irecv(nullptr, 0, MPI_BYTE, rank, meeting_tag, comm_.native(), &requests_.emplace_back()),
              "MPI_Irecv");
    check_mpi(MPI_Isend(nullptr, 0, MPI_BYTE, rank, meeting_tag, comm_.native(), &requests_.emplace_back()),
              "MPI_Isend");
  }
}

bool RowExchange::progress() {
  if (requests_.empty()) return true;
  int done = 0;
  check_mpi(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE),
            "MPI_Testall");
  if (done) requests_.clear();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return done != 0;
}

double RowExchange::finish() {
  const Stopwatch stopwatch;
  if (!requests_.empty()) {
    check_mpi(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    requests_.clear();
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return stopwatch.seconds();
}

}  // namespace cohort
