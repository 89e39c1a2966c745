#include "comm/machine_memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/error.hpp"
#include "core/matrix.hpp"
#include "core/memory.hpp"

namespace cohort {

namespace {

std::string in_gigabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / 0x1p30);
  return text;
}

}  // namespace

MemoryNeed& MemoryNeed::operator+=(const MemoryNeed& other) {
  bytes += other.bytes;
  seen_bytes += other.seen_bytes;
  return *this;
}

MemoryParts& MemoryParts::add(const MemoryNeed& part, const std::string& remedy) {
  need_ += part;
  if (part.bytes > largest_) {
    largest_ = part.bytes;
    remedy_ = remedy;
  }
  return *this;
}

MemoryNeed larger(const MemoryNeed& a, const MemoryNeed& b) {
  return a.resident() < b.resident() ? b : a;
}

MemoryParts larger(const MemoryParts& a, const MemoryParts& b) {
  return a.need().resident() < b.need().resident() ? b : a;
}

std::int64_t row_bytes(std::int64_t columns) {
  return padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
}

MemoryNeed halo_memory(const HaloRows& rows, std::int64_t columns, std::int64_t count) {
  return {count * rows.bytes(columns), count * rows.seen_bytes(columns)};
}

void need_memory(const Communicator& comm, const std::string& what, std::int64_t bytes, const std::string& remedy) {
  release_freed_memory();
  const std::int64_t together = comm.sum_on_machine(bytes);
  const std::int64_t neighbours = comm.sum_on_machine(1);
  const std::int64_t available = available_memory_bytes();
  comm.attempt([&] {
    if (together <= available) return;
    const double factor = static_cast<double>(together) / static_cast<double>(std::max<std::int64_t>(available, 1));
    const auto ranks = static_cast<std::int64_t>(std::ceil(1.1 * factor * comm.size()));
    throw RunError(what + " needs about " + in_gigabytes(bytes) + " on rank " + std::to_string(comm.rank()) + " and " +
                   in_gigabytes(together) + " on its machine, which has " + in_gigabytes(available) + " left; about " +
                   std::to_string(ranks) + " ranks, " + std::to_string(neighbours) + " a machine, would do, or " +
                   remedy);
  });
}

void need_memory(const Communicator& comm, const std::string& what, const MemoryParts& parts) {
  need_memory(comm, what, parts.bytes(), parts.remedy());
}

}  // namespace cohort
