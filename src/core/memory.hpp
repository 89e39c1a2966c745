// The process's memory, for reports and for saying beforehand that there is too little; never for results. Local.
#pragma once

#include <cstdint>
#include <filesystem>

namespace cohort {

/// Highest resident set of this process so far, in bytes.
std::int64_t peak_resident_bytes();

/// What of this process is resident now, in bytes; 0 where the system does not say.
std::int64_t resident_bytes();

/// Gives back to the system what the allocator keeps of what was freed, so that it counts as available and the next
/// stage does not come on top of it. What is freed in blocks above 32 MiB goes back by itself. Does nothing without
/// glibc.
void release_freed_memory();

/// Memory the system could still give, in bytes: MemAvailable, or less where a control group has less left, this
/// process's own or any that it is in (under Slurm a step's, its job's, ...), version 1 or 2. Files that could be
/// dropped from memory do not count as used. root: of the file system, another one in tests.
std::int64_t available_memory_bytes(const std::filesystem::path& root = "/");

}  // namespace cohort
