#include "cli/signals.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "cli/outcome.hpp"
#include "comm/communicator.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "core/file_call.hpp"
#include "core/interruption.hpp"

namespace cohort {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<std::pair<int, const char*>, 4> asking_to_end{
    {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGUSR1, "SIGUSR1"}, {SIGHUP, "SIGHUP"}}};
// How long a call that cannot look at the flag may take to its end.
constexpr double patience_seconds = 10.0;
// A second SIGTERM as soon as this is the first one, by another way.
constexpr double echo_seconds = 2.0;
// Longest that ending all ranks may take; then this process ends alone, and the launcher ends the others.
constexpr unsigned abort_seconds = 3;

sigset_t mask_before;
sigset_t taken;
std::atomic<bool> over{false};
std::atomic<int> rank_here{-1};
std::atomic<double> stall_seconds{600.0};
volatile std::sig_atomic_t code_at_alarm = exit_failure;

// Wakes the thread when the program is done.
int wake_signal() {
  return SIGRTMIN;
}

void give_child_its_mask() {
  pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Ends all ranks, whatever the main thread is doing and whatever it holds.
[[noreturn]] void end_all(int code) {
  code_at_alarm = code;
  std::signal(SIGALRM, [](int) { _exit(code_at_alarm); });
  alarm(abort_seconds);
  Communicator::abort(code);
}

// Rank 0 first: where all ranks have the same to say, one does.
double turn_seconds() {
  return rank_here.load() > 0 ? 1.0 : 0.0;
}

std::string name_of(int signal) {
  for (const auto& [number, name] : asking_to_end) {
    if (number == signal) return name;
  }
  return "signal " + std::to_string(signal);
}

class Interruption {
 public:
  // A batch system asks by SIGUSR1 long before it ends the job by SIGTERM, or by both at once, and a launcher may pass
  // on a SIGTERM that its ranks have got already: none of these is somebody who has lost patience.
  void signal_came(int signal) {
    const bool again = told_ && !(signal == SIGTERM && *told_ == SIGTERM && seconds_since(told_at_) < echo_seconds);
    if (signal != SIGUSR1) {
      if (again) end_all(128 + signal);
      told_ = signal;
      told_at_ = Clock::now();
    }
    if (asked_) return;
    asked_ = Clock::now();
    request_interruption();
    if (rank_here.load() == 0) {
      spdlog::info("{}: ending as soon as nothing is lost by it; a second signal ends at once", name_of(signal));
    }
  }
  void look() const {
    if (!asked_ || !Abandonable::any() || seconds_since(*asked_) < patience_seconds + turn_seconds()) return;
    say_interrupted(Interrupted().how_to_go_on());
    end_all(exit_interrupted);
  }

 private:
  std::optional<Clock::time_point> asked_;  // first signal
  std::optional<int> told_;                 // first signal that is not SIGUSR1
  Clock::time_point told_at_;
};

// Sum of the numbers that stand behind `first` and `second` in a file of the system's; 0 where it does not say.
std::int64_t sum_in(const std::string& file, std::string_view first, std::string_view second) {
  std::ifstream lines(file);
  std::int64_t sum = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t value = 0;
    if (words >> name >> value && (name == first || name == second)) sum += value;
  }
  return sum;
}

// Bytes that the main thread has read and written.
std::int64_t bytes_moved() {
  return sum_in("/proc/self/task/" + std::to_string(getpid()) + "/io", "rchar:", "wchar:");
}

// KiB of the machine's that are not on their disk yet: what a flush makes less, while its thread only waits.
std::int64_t unwritten() {
  return sum_in("/proc/meminfo", "Dirty:", "Writeback:");
}

class StalledCall {
 public:
  void look() {
    const double limit = stall_seconds.load();
    const auto call = CallUnderWay::now();
    if (!call || limit <= 0) {
      number_ = 0;
      return;
    }
    const auto bytes = bytes_moved();
    const auto left = unwritten();
    const bool flushes = left < least_left_;  // others write too: less than ever before is what a flush comes to
    if (call->number != number_ || bytes != bytes_ || flushes) {
      least_left_ = call->number == number_ ? std::min(least_left_, left) : left;
      number_ = call->number;
      bytes_ = bytes;
      since_ = Clock::now();
      return;
    }
    if (seconds_since(since_) < limit + turn_seconds()) return;
    say_error(
        fmt::format("{} of {} has made no progress for {:g} minutes (output.stall_minutes) on rank {}, on {}; "
                    "is its file system still there?",
                    call->call, call->file, limit / 60, std::max(0, rank_here.load()), host_name()));
    end_all(exit_failure);
  }

 private:
  std::uint64_t number_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t least_left_ = 0;
  Clock::time_point since_;
};

void watch() {
  Interruption interruption;
  StalledCall stalled;
  while (!over.load()) {
    const timespec second{1, 0};
    const int signal = sigtimedwait(&taken, nullptr, &second);
    if (over.load()) return;
    try {
      if (signal > 0 && signal != wake_signal()) interruption.signal_came(signal);
      interruption.look();
      stalled.look();
    } catch (...) {
      continue;  // no memory to say something; in a second there may be
    }
  }
}

}  // namespace

SignalWatch::SignalWatch() {
  sigemptyset(&taken);
  sigaddset(&taken, wake_signal());
  for (const auto& [signal, name] : asking_to_end) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&taken, signal);
  }
  pthread_sigmask(SIG_BLOCK, &taken, &mask_before);
  pthread_atfork(nullptr, nullptr, give_child_its_mask);
  thread_ = std::thread(watch);
}

SignalWatch::~SignalWatch() {
  over = true;
  pthread_kill(thread_.native_handle(), wake_signal());
  thread_.join();
}

void SignalWatch::set_rank(int rank) {
  rank_here = rank;
}

void SignalWatch::set_stall_minutes(double minutes) {
  stall_seconds = 60 * minutes;
}

}  // namespace cohort
