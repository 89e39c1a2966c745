// Text onto a descriptor: all of it, or the system's reason.
#include "core/output_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

namespace cohort {
namespace {

// A pipe that another process has set not to block, as terminals and pipes shared with one may be.
TEST(WriteAll, WaitsForAPipeThatDoesNotBlock) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  std::string text;
  for (int i = 0; i < 100'000; ++i) text.append(std::to_string(i)).push_back('\n');  // more than a pipe holds
  std::string got;
  std::thread reader([&] {
    std::array<char, 1000> part{};
    for (ssize_t size = 0; (size = ::read(ends[0], part.data(), part.size())) > 0;) {
      got.append(part.data(), static_cast<std::size_t>(size));
    }
  });
  EXPECT_EQ(write_all(ends[1], text), 0);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(got, text);
}

TEST(WriteAll, SaysWhyItCannot) {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  EXPECT_EQ(write_all(ends[1], "text"), EPIPE);
  ::close(ends[1]);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_EQ(write_all(full, "text"), ENOSPC);
  ::close(full);
}

}  // namespace
}  // namespace cohort
