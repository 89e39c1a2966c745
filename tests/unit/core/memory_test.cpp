// What control groups leave to this process, in made-up /proc and /sys of both versions.
#include "core/memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace cohort {
namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

class Memory : public testing::Test {
 protected:
  Memory() : root_(std::filesystem::temp_directory_path() / ("cohort-memory-" + std::to_string(getpid()))) {
    write("proc/meminfo", "MemTotal:  2097152 kB\nMemAvailable:  1048576 kB\n");
  }
  ~Memory() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void process(const std::string& groups, const std::string& mounts) {
    write("proc/self/cgroup", groups);
    write("proc/self/mountinfo", mounts);
  }
  void group_2(const std::string& path, const std::string& limit, std::int64_t used, std::int64_t inactive = 0) {
    write(path + "/memory.max", limit + "\n");
    write(path + "/memory.current", std::to_string(used) + "\n");
    write(path + "/memory.stat", "anon 5\ninactive_file " + std::to_string(inactive) + "\n");
  }
  void group_1(const std::string& path, std::int64_t limit, std::int64_t used, std::int64_t inactive = 0) {
    write(path + "/memory.limit_in_bytes", std::to_string(limit) + "\n");
    write(path + "/memory.usage_in_bytes", std::to_string(used) + "\n");
    write(path + "/memory.stat", "inactive_file 1\ntotal_inactive_file " + std::to_string(inactive) + "\n");
  }
  std::int64_t mebibytes() const { return available_memory_bytes(root_) / mebibyte; }

  std::filesystem::path root_;
};

const std::string mount_2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string mount_1 =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

TEST_F(Memory, WithoutGroupsIsTheMachines) {
  EXPECT_EQ(mebibytes(), 1024);
  process("0::/\n", mount_2);
  EXPECT_EQ(mebibytes(), 1024);
}

TEST_F(Memory, OfVersionTwoIsTheLeastOfTheOwnGroupAndThoseAroundIt) {
  process("0::/slurm/job_7/step_0/user\n", mount_2);
  const std::string top = "sys/fs/cgroup/slurm";
  group_2(top, "max", 900 * mebibyte);
  EXPECT_EQ(mebibytes(), 1024);
  group_2(top + "/job_7", std::to_string(800 * mebibyte), 100 * mebibyte);
  EXPECT_EQ(mebibytes(), 700);
  group_2(top + "/job_7/step_0", std::to_string(300 * mebibyte), 250 * mebibyte, 50 * mebibyte);
  EXPECT_EQ(mebibytes(), 100);
  group_2(top + "/job_7/step_0/user", std::to_string(500 * mebibyte), 10 * mebibyte);
  EXPECT_EQ(mebibytes(), 100);
  group_2(top + "/job_7/step_0/user", std::to_string(500 * mebibyte), 460 * mebibyte);
  EXPECT_EQ(mebibytes(), 40);
  group_2(top + "/job_8", std::to_string(5 * mebibyte), 0);  // somebody else's
  EXPECT_EQ(mebibytes(), 40);
  group_2(top, std::to_string(90 * mebibyte), 95 * mebibyte);
  EXPECT_EQ(mebibytes(), 0);
}

TEST_F(Memory, OfVersionOneIsFoundByItsController) {
  process("9:cpu,cpuacct:/elsewhere\n4:memory:/slurm/job_7/step_0\n0::/\n", mount_1);
  const std::string top = "sys/fs/cgroup/memory";
  group_1(top, 9223372036854771712, 2000 * mebibyte);
  EXPECT_EQ(mebibytes(), 1024);
  group_1(top + "/slurm/job_7", 600 * mebibyte, 100 * mebibyte, 20 * mebibyte);
  EXPECT_EQ(mebibytes(), 520);
  group_1(top + "/slurm/job_7/step_0", 400 * mebibyte, 100 * mebibyte);
  EXPECT_EQ(mebibytes(), 300);
  group_1(top + "/elsewhere", mebibyte, 0);
  EXPECT_EQ(mebibytes(), 300);
}

TEST_F(Memory, InAContainerIsWhatIsMounted) {
  // The mount shows the group /docker/abc and what is in it.
  process("0::/docker/abc/inner\n", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  group_2("sys/fs/cgroup", std::to_string(500 * mebibyte), 100 * mebibyte);
  EXPECT_EQ(mebibytes(), 400);
  group_2("sys/fs/cgroup/inner", std::to_string(200 * mebibyte), 100 * mebibyte);
  EXPECT_EQ(mebibytes(), 100);
  // A group that is not below it.
  process("0::/../other\n", mount_2);
  EXPECT_EQ(mebibytes(), 400);
}

// What is touched is there, what is asked for alone is not, and what is unmapped is gone.
TEST(ResidentMemory, FollowsWhatIsTouched) {
  constexpr std::size_t bytes = 64 * mebibyte;
  const auto before = resident_bytes();
  EXPECT_GT(before, 0);
  auto* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  EXPECT_LT(resident_bytes() - before, 8 * mebibyte);
  std::memset(pages, 1, bytes);
  EXPECT_GE(resident_bytes() - before, 60 * mebibyte);
  EXPECT_GE(peak_resident_bytes(), resident_bytes() - 8 * mebibyte);
  munmap(pages, bytes);
  EXPECT_LT(resident_bytes() - before, 8 * mebibyte);
}

TEST(FreedMemory, GoesBackToTheSystem) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers bring an allocator of their own, which holds back what is freed to catch its use";
#endif
  // Blocks too small to be mapped by themselves, of which one in 64 stays: none of what is free lies at the end.
  constexpr std::size_t block = std::size_t{1} << 16;
  constexpr std::size_t count = 1024;
  std::vector<std::unique_ptr<std::string>> blocks;
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(std::make_unique<std::string>(block, 'x'));
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 64 != 63) blocks[i].reset();
  }
  const auto before = resident_bytes();
  release_freed_memory();
  EXPECT_LT(resident_bytes() + 32 * mebibyte, before);
  EXPECT_EQ(blocks[63]->back(), 'x');
}

}  // namespace
}  // namespace cohort
