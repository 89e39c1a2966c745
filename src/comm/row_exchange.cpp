#include "comm/row_exchange.hpp"

#include <algorithm>
#include <climits>
#include <cstring>

#include "core/timer.hpp"

namespace cohort {

namespace {

// Ranks with a part of their own in `begin` (P + 1), and their offsets.
void compress(std::span<const std::int64_t> begin, std::vector<int>& ranks, std::vector<std::int64_t>& offsets) {
  offsets.assign(1, 0);
  for (std::size_t r = 0; r + 1 < begin.size(); ++r) {
    if (begin[r + 1] == begin[r]) continue;
    ranks.push_back(static_cast<int>(r));
    offsets.push_back(begin[r + 1]);
  }
}

}  // namespace

ExchangePlan plan_fetch(const Communicator& comm, const Distribution& owners, std::span<const Position> wanted) {
  std::vector<std::int64_t> begin(static_cast<std::size_t>(comm.size()) + 1);
  for (int r = 0; r <= comm.size(); ++r) {
    const Position bound{r < comm.size() ? owners.begin(r) : owners.total()};
    begin[static_cast<std::size_t>(r)] = std::lower_bound(wanted.begin(), wanted.end(), bound) - wanted.begin();
  }
  const auto requested = comm.exchange(wanted, std::span<const std::int64_t>(begin));
  ExchangePlan plan;
  compress(begin, plan.receive_from, plan.receive_begin);
  compress(requested.begin, plan.send_to, plan.send_begin);
  const std::int64_t first = owners.begin(comm.rank());
  plan.send_rows.reserve(requested.data.size());
  for (const Position position : requested.data) {
    plan.send_rows.push_back(static_cast<std::int32_t>(position.value - first));
  }
  return plan;
}

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
  COHORT_CHECK(plan.sent_rows() == 0 || source.stride == stride_);
  constexpr int tag = 72;
  for (std::size_t i = 0; i < plan.receive_from.size(); ++i) {
    const std::int64_t count = plan.receive_begin[i + 1] - plan.receive_begin[i];
    COHORT_CHECK(count <= INT_MAX);
    check_mpi(MPI_Irecv(destination + plan.receive_begin[i] * stride_, static_cast<int>(count), row_type_,
                        plan.receive_from[i], tag, comm_.native(), &requests_.emplace_back()),
              "MPI_Irecv");
  }
  const std::int64_t rows = plan.sent_rows();
  if (static_cast<std::int64_t>(packed_.size()) < rows * stride_)
    packed_.resize(static_cast<std::size_t>(rows * stride_));
  const auto row_bytes = static_cast<std::size_t>(stride_) * sizeof(float);
  for (std::size_t i = 0; i < plan.send_to.size(); ++i) {
    const std::int64_t begin = plan.send_begin[i];
    const std::int64_t end = plan.send_begin[i + 1];
#pragma omp parallel for schedule(static) if (end - begin > 4096)
    for (std::int64_t k = begin; k < end; ++k) {
      std::memcpy(packed_.data() + k * stride_, source.row(plan.send_rows[static_cast<std::size_t>(k)]), row_bytes);
    }
    COHORT_CHECK(end - begin <= INT_MAX);
    check_mpi(MPI_Isend(packed_.data() + begin * stride_, static_cast<int>(end - begin), row_type_, plan.send_to[i],
                        tag, comm_.native(), &requests_.emplace_back()),
              "MPI_Isend");
  }
  bytes_sent_ += rows * static_cast<std::int64_t>(row_bytes);
}

bool RowExchange::progress() {
  if (requests_.empty()) return true;
  int done = 0;
  check_mpi(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE),
            "MPI_Testall");
  if (done) requests_.clear();
  return done != 0;
}

double RowExchange::finish() {
  const Timer timer;
  if (!requests_.empty()) {
    check_mpi(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    requests_.clear();
  }
  return timer.seconds();
}

}  // namespace cohort
