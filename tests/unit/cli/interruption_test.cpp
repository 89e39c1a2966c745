// What the thread that waits for signals and stalled file calls does to a process, and how exceptions leave parallel
// loops.
#include "core/interruption.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include "cli/outcome.hpp"
#include "cli/signals.hpp"
#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/file_call.hpp"
#include "core/parallel.hpp"

namespace cohort {
namespace {

constexpr double a_moment = 2.0 / 60;  // minutes

void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

[[noreturn]] void stall() {
  Communicator::set_last_words(say_error);
  const SignalWatch watch;
  SignalWatch::set_stall_minutes(a_moment);
  const std::string file = "/a/model.h5";
  const FileCall outer("commit", "/another/file");
  const FileCall call("H5Dwrite", file);
  for (;;) wait(1);
}

TEST(StalledCall, EndsTheProcessWithTheCallAndTheFile) {
  EXPECT_EXIT(stall(), testing::ExitedWithCode(exit_failure), "H5Dwrite of /a/model.h5 has made no progress");
}

// Bytes that move, a call after another, and time outside of calls are no stall.
[[noreturn]] void work() {
  const SignalWatch watch;
  SignalWatch::set_stall_minutes(a_moment);
  const std::string file = "/a/model.h5";
  std::FILE* const sink = std::fopen("/dev/null", "w");
  {
    const FileCall call("H5Dwrite", file);
    for (int i = 0; i < 40; ++i) {
      std::fputs("something", sink);
      std::fflush(sink);
      wait(0.1);
    }
  }
  for (int i = 0; i < 40; ++i) {
    const FileCall call("H5Dwrite", file);
    wait(0.1);
  }
  wait(4);
  _exit(exit_success);
}

TEST(StalledCall, IsNoneWhereSomethingMoves) {
  EXPECT_EXIT(work(), testing::ExitedWithCode(exit_success), "^$");
}

[[noreturn]] void be_asked_inside_a_long_call() {
  const SignalWatch watch;
  const Abandonable until_cut;
  kill(getpid(), SIGTERM);
  wait(3);
  if (!interruption_requested()) _exit(exit_failure);
  for (;;) wait(1);
}

TEST(Signals, EndALongCallThatHasNothingToLose) {
  EXPECT_EXIT(be_asked_inside_a_long_call(), testing::ExitedWithCode(exit_interrupted), "cohort: interrupted; ");
}

[[noreturn]] void be_asked_where_something_would_be_lost() {
  const SignalWatch watch;
  kill(getpid(), SIGTERM);
  wait(14);
  _exit(interruption_requested() ? exit_success : exit_failure);
}

TEST(Signals, LeaveAloneWhatMayNotBeLost) {
  EXPECT_EXIT(be_asked_where_something_would_be_lost(), testing::ExitedWithCode(exit_success), "^$");
}

[[noreturn]] void have_a_child() {
  const SignalWatch watch;
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  _exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? exit_success : exit_failure);
}

TEST(Signals, ReachChildrenAsBefore) {
  EXPECT_EXIT(have_a_child(), testing::ExitedWithCode(exit_success), "");
}

TEST(Parallel, AnExceptionLeavesTheLoopAfterAllWasDone) {
  std::atomic<int> done{0};
  try {
    for_each_in_parallel(100, [&](std::int64_t i) {
      ++done;
      if (i % 10 == 3) throw RunError("at a three");
    });
    FAIL();
  } catch (const RunError& error) {
    EXPECT_STREQ(error.what(), "at a three");
  }
  EXPECT_EQ(done, 100);
}

TEST(Parallel, ARegionsFailureIsTheFirst) {
  ParallelFailure failure;
  failure.rethrow();
  failure.run([] { throw InputError("first"); });
  failure.run([] { throw RunError("second"); });
  EXPECT_THROW(failure.rethrow(), InputError);
}

}  // namespace
}  // namespace cohort
