#include "data/dataset_bytes.hpp"

namespace cohort {

namespace {

template <class T>
std::int64_t bytes_of(const std::vector<T>& values) {
  return std::ssize(values) * static_cast<std::int64_t>(sizeof(T));
}

}  // namespace

std::int64_t bytes_of(const PairTable& table) {
  return bytes_of(table.row_begin) + bytes_of(table.other) + bytes_of(table.weight) + bytes_of(table.time);
}

std::int64_t bytes_of(const IdTable& table) {
  return bytes_of(table.begin) + std::ssize(table.bytes);
}

std::int64_t bytes_of(const Dataset& dataset) {
  auto bytes = bytes_of(dataset.users) + bytes_of(dataset.items) + bytes_of(dataset.interactions) +
               bytes_of(dataset.holdout) + bytes_of(dataset.social) + bytes_of(dataset.neighbours);
  for (const auto* tables : {&dataset.user_features, &dataset.item_features}) {
    for (const auto& table : *tables) bytes += bytes_of(table.rows);
  }
  return bytes;
}

}  // namespace cohort
