#include "cli/output/console.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "core/error.hpp"
#include "core/output_file.hpp"

namespace cohort {

namespace {

// Longest wait for a reader; it has all the time it wants where it reads slowly, only the order is then its own.
constexpr auto patience = std::chrono::milliseconds(100);
constexpr auto pause = std::chrono::milliseconds(1);
// A launcher that gives a process a terminal of its own does not tell how much of it was read.
constexpr auto relay_pause = std::chrono::milliseconds(20);

int last_stream = -1;
int output_error = 0;

bool same_end(int a, int b) {
  struct stat first {};
  struct stat second {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

void wait_for_reader(int stream) {
  struct stat status {};
  if (fstat(stream, &status) != 0) return;
  if (S_ISFIFO(status.st_mode)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (int unread = 1; ioctl(stream, FIONREAD, &unread) == 0 && unread > 0;) {
      if (std::chrono::steady_clock::now() > deadline) return;
      std::this_thread::sleep_for(pause);
    }
    std::this_thread::sleep_for(pause);  // what was read is passed on
  } else if (S_ISCHR(status.st_mode) && std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) {
    std::this_thread::sleep_for(relay_pause);
  }
}

}  // namespace

void write_lines(int stream, std::string_view text) {
  if (std::fflush(stdout) != 0 && output_error == 0) output_error = errno;
  if (last_stream >= 0 && last_stream != stream && !same_end(last_stream, stream)) wait_for_reader(last_stream);
  last_stream = stream;
  while (!text.empty()) {
    // As many whole lines as a pipe takes at once; a longer line as it is.
    auto end = text.size();
    if (end > PIPE_BUF) {
      end = text.rfind('\n', PIPE_BUF - 1);
      if (end == std::string_view::npos) end = text.find('\n');
      end = end == std::string_view::npos ? text.size() : end + 1;
    }
    const int error = write_all(stream, text.substr(0, end));
    if (error != 0) {
      if (stream == STDOUT_FILENO && output_error == 0) output_error = error;
      return;
    }
    text.remove_prefix(end);
  }
}

void check_output() {
  if (output_error != 0) {
    throw RunError(std::string("standard output cannot be written: ") + std::strerror(output_error));
  }
}

}  // namespace cohort
