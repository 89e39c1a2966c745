#include "comm/reblock.hpp"

#include <algorithm>
#include <cstring>

namespace cohort {

std::vector<std::int64_t> block_cuts(const Distribution& from, int rank, std::int64_t first, const Distribution& to) {
  std::vector<std::int64_t> begin;
  for (int r = 0; r <= to.ranks(); ++r) {
    const std::int64_t target = first + (r < to.ranks() ? to.begin(r) : to.total());
    begin.push_back(std::clamp<std::int64_t>(target - from.begin(rank), 0, from.count(rank)));
  }
  return begin;
}

Matrix reblock(const Communicator& comm, ConstMatrixView rows, const Distribution& from, std::int64_t first,
               const Distribution& to) {
  COHORT_CHECK(rows.rows == from.count(comm.rank()) && first >= 0 && first + to.total() <= from.total());
  // Padded rows travel as they stand. What goes to the ranks is ascending and has no gaps: one run of this rank's rows.
  auto begin = block_cuts(from, comm.rank(), first, to);
  for (auto& row : begin) row *= rows.stride;
  const std::span<const float> data(rows.data + begin.front(), static_cast<std::size_t>(begin.back() - begin.front()));
  const std::int64_t start = begin.front();
  for (auto& offset : begin) offset -= start;
  const auto received = comm.exchange(data, std::span<const std::int64_t>(begin));
  Matrix result;
  comm.attempt([&] { result = Matrix(to.count(comm.rank()), rows.columns); });
  COHORT_CHECK(std::ssize(received.data) == result.rows() * result.stride());
  if (!received.data.empty()) std::memcpy(result.row(0), received.data.data(), received.data.size() * sizeof(float));
  return result;
}

}  // namespace cohort
