// Drawing from fixed weights in constant time: the alias method (Walker 1977; tables as in Vose, "A linear algorithm
// for generating random numbers with a given distribution", 1991). Internal to generate/.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cohort {

class AliasTable {
 public:
  /// At least one weight, fewer than 2^32, all above 0.
  explicit AliasTable(std::span<const double> weights);

  /// An index with the probability weight / sum of weights (to 2^-32), by three random words.
  std::uint32_t pick(const std::array<std::uint32_t, 4>& words) const {
    __extension__ using Wide = unsigned __int128;
    const auto bits = (std::uint64_t{words[1]} << 32) | words[0];
    const auto at = static_cast<std::size_t>((Wide{bits} * columns_.size()) >> 64);
    return words[2] < columns_[at].cutoff ? static_cast<std::uint32_t>(at) : columns_[at].alias;
  }

 private:
  struct Column {
    std::uint32_t cutoff;  // below: the column's own index
    std::uint32_t alias;
  };
  std::vector<Column> columns_;
};

}  // namespace cohort
