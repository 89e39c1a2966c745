#include "core/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace cohort {

namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

// How a version of control groups calls what is needed of it.
struct Version {
  std::string file_system;
  std::string limit;
  std::string used;
  std::string droppable;  // key of memory.stat: files not used lately
};

const Version version_1{"cgroup", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
const Version version_2{"cgroup2", "memory.max", "memory.current", "inactive_file"};

// "max" of version 2 is no number, and so no limit.
std::optional<std::int64_t> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

// The number beside a key, in a file of lines "key number"; 0 without.
std::int64_t value_of(const std::filesystem::path& path, const std::string& wanted) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t value = 0;
    if (words >> key >> value && key == wanted) return value;
  }
  return 0;
}

// What a group has left by its own limit.
std::int64_t left_in(const std::filesystem::path& group, const Version& version) {
  const auto limit = number_in(group / version.limit);
  const auto used = number_in(group / version.used);
  if (!limit || !used) return no_limit;
  const auto droppable = value_of(group / "memory.stat", version.droppable);
  return std::max<std::int64_t>(*limit - std::max<std::int64_t>(*used - droppable, 0), 0);
}

bool lists(const std::string& names, const std::string& name) {
  return ("," + names + ",").find("," + name + ",") != std::string::npos;
}

// The group of this process in the hierarchy that has the memory, as /proc/self/cgroup writes it:
// "number:controllers:path", no controllers for version 2.
std::optional<std::string> own_group(const std::filesystem::path& root, const Version& version) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (&version == &version_2 ? controllers.empty() : lists(controllers, "memory")) return line.substr(second + 1);
  }
  return std::nullopt;
}

// Where a hierarchy is mounted, and which of its groups is seen there.
struct Mount {
  std::filesystem::path at;
  std::filesystem::path group;
};

std::vector<Mount> mounts_of(const std::filesystem::path& root, const Version& version) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string number;
    std::string parent;
    std::string device;
    std::string group;
    std::string at;
    std::string file_system;
    std::string source;
    std::string options;
    before >> number >> parent >> device >> group >> at;
    after >> file_system >> source >> options;
    if (file_system != version.file_system || (&version == &version_1 && !lists(options, "memory"))) continue;
    mounts.push_back({root / std::filesystem::path(at).relative_path(), group});
  }
  return mounts;
}

// The least that the group of this process and those around it have left.
std::int64_t left_in_groups(const std::filesystem::path& root, const Version& version) {
  const auto own = own_group(root, version);
  if (!own) return no_limit;
  auto left = no_limit;
  for (const auto& mount : mounts_of(root, version)) {
    left = std::min(left, left_in(mount.at, version));
    // A group that is not below what is mounted cannot be seen, as in some containers.
    const auto below = std::filesystem::path(*own).lexically_relative(mount.group);
    if (below.empty() || *below.begin() == "..") continue;
    auto group = mount.at;
    for (const auto& name : below) left = std::min(left, left_in(group /= name, version));
  }
  return left;
}

}  // namespace

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::int64_t resident_bytes() {
  std::ifstream pages("/proc/self/statm");
  std::int64_t all = 0;
  std::int64_t resident = 0;
  return pages >> all >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

void release_freed_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

std::int64_t available_memory_bytes(const std::filesystem::path& root) {
  const auto kilobytes = value_of(root / "proc/meminfo", "MemAvailable:");
  const auto of_machine = kilobytes > 0 ? kilobytes * 1024 : no_limit;
  return std::min({of_machine, left_in_groups(root, version_1), left_in_groups(root, version_2)});
}

}  // namespace cohort
