#include "generate/alias_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace cohort {

AliasTable::AliasTable(std::span<const double> weights) : columns_(weights.size()) {
  COHORT_CHECK(!weights.empty() && weights.size() < UINT32_MAX);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> share(weights.begin(), weights.end());
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::size_t i = 0; i < share.size(); ++i) {
    share[i] *= static_cast<double>(share.size()) / sum;
    (share[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
    columns_[i] = {UINT32_MAX, static_cast<std::uint32_t>(i)};  // what stays when rounding empties one list first
  }
  while (!small.empty() && !large.empty()) {
    const auto filled = small.back();
    const auto giver = large.back();
    small.pop_back();
    columns_[filled] = {static_cast<std::uint32_t>(std::ldexp(share[filled], 32)), giver};
    share[giver] -= 1 - share[filled];
    if (share[giver] < 1) {
      large.pop_back();
      small.push_back(giver);
    }
  }
}

}  // namespace cohort
