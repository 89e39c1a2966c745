// What something keeps in memory, told before it is allocated, and whether the ranks' machines have it left.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"
#include "comm/halo_matrix.hpp"

namespace cohort {

/// Of a rank, which need not be there.
struct MemoryNeed {
  std::int64_t bytes = 0;       ///< of the machine
  std::int64_t seen_bytes = 0;  ///< of other ranks of the machine, whose rows are read: resident, but theirs

  std::int64_t resident() const { return bytes + seen_bytes; }
  MemoryNeed& operator+=(const MemoryNeed& other);
};

/// What something needs, added up from parts of which each says what would make it smaller. Local.
class MemoryParts {
 public:
  MemoryParts& add(const MemoryNeed& part, const std::string& remedy);
  MemoryParts& add(std::int64_t bytes, const std::string& remedy) { return add(MemoryNeed{bytes}, remedy); }
  const MemoryNeed& need() const { return need_; }
  std::int64_t bytes() const { return need_.bytes; }
  /// Of the part with most bytes; empty: there is none.
  const std::string& remedy() const { return remedy_; }

 private:
  MemoryNeed need_;
  std::int64_t largest_ = 0;
  std::string remedy_;
};

/// Of what comes one after the other: the one of which more is resident. Local.
MemoryNeed larger(const MemoryNeed& a, const MemoryNeed& b);
MemoryParts larger(const MemoryParts& a, const MemoryParts& b);

/// Of a row of so many columns, as a Matrix and a HaloMatrix have it. Local.
std::int64_t row_bytes(std::int64_t columns);

/// Of `count` HaloMatrix of so many columns. Local.
MemoryNeed halo_memory(const HaloRows& rows, std::int64_t columns, std::int64_t count = 1);

/// Throws RunError on all ranks where a machine has not left what its ranks need, `bytes` on this rank. what: needs it;
/// remedy: what else than more ranks would help. Before that, what has been freed goes back to the system. Collective.
void need_memory(const Communicator& comm, const std::string& what, std::int64_t bytes, const std::string& remedy);

/// The same with the remedy of the largest part. Collective.
void need_memory(const Communicator& comm, const std::string& what, const MemoryParts& parts);

}  // namespace cohort
