#include "cluster/fixed_sums.hpp"

#include "core/interruption.hpp"

namespace cohort {

GroupedSums grouped_rows(const Communicator& comm, ConstMatrixView rows, std::span<const std::int32_t> group,
                         std::int64_t groups, std::int64_t total, double largest) {
  const auto fixed_point = FixedPoint::for_sum(total, largest);
  const auto width = rows.columns + 1;  // the last counts
  std::vector<std::int64_t> sums;
  comm.attempt([&] {
    end_if_interrupted();
    sums.assign(groups * width, 0);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      if (group[row] < 0) continue;
      auto* const sum = sums.data() + group[row] * width;
      for (std::int64_t e = 0; e < rows.columns; ++e) {
        sum[e] += fixed_point.fixed(static_cast<double>(rows.row(row)[e]));
      }
      ++sum[rows.columns];
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(sums));
  GroupedSums result;
  result.columns = rows.columns;
  comm.attempt([&] {
    for (std::int64_t g = 0; g < groups; ++g) {
      for (std::int64_t e = 0; e < rows.columns; ++e) result.sum.push_back(fixed_point.real(sums[g * width + e]));
      result.count.push_back(static_cast<double>(sums[g * width + rows.columns]));
    }
  });
  return result;
}

}  // namespace cohort
