#include "store/result_bytes.hpp"

#include "core/matrix.hpp"

namespace cohort {

std::int64_t result_bytes(const ResultSizes& sizes) {
  const auto row = padded_stride(sizes.columns) * static_cast<std::int64_t>(sizeof(float));
  const auto fold_in = sizes.fold_in ? sizes.items * (row + std::int64_t{sizeof(std::int64_t)}) : 0;
  // Segment, distance, margin, two places on the map.
  constexpr std::int64_t of_user = 20;
  return (sizes.users + sizes.items) * row + fold_in + of_user * sizes.users + sizes.id_bytes;
}

std::int64_t lists_bytes(std::int64_t users, std::int64_t count) {
  return users * count * static_cast<std::int64_t>(sizeof(std::int64_t) + sizeof(float));
}

}  // namespace cohort
