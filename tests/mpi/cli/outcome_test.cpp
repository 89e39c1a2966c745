// How the ranks end together: one exit code for all, whichever ranks failed.
#include "cli/outcome.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <thread>

#include "core/error.hpp"

namespace cohort {
namespace {

TEST(Outcome, AllRanksReturnTheSameCode) {
  const auto comm = Communicator::world();
  EXPECT_EQ(end_together(comm, [] { return exit_success; }), exit_success);
  EXPECT_EQ(end_together(comm, [] { return exit_usage; }), exit_usage);
  EXPECT_EQ(end_together(comm, []() -> int { throw InputError("on every rank"); }), exit_usage);
  EXPECT_EQ(end_together(comm, []() -> int { throw RunError("on every rank"); }), exit_failure);
  EXPECT_EQ(end_together(comm, []() -> int { throw std::bad_alloc(); }), exit_failure);
  EXPECT_EQ(end_together(comm, []() -> int { throw 5; }), exit_failure);
}

TEST(Outcome, OneRankAloneFailsAll) {
  const auto comm = Communicator::world();
  for (int failing = 0; failing < comm.size(); ++failing) {
    const int code = end_together(comm, [&]() -> int {
      if (comm.rank() == failing) throw InputError("on one rank");
      return exit_success;
    });
    EXPECT_EQ(code, exit_usage);
  }
  // The lowest failing rank decides.
  const int code = end_together(comm, [&]() -> int {
    if (comm.rank() == 0) throw RunError("first");
    throw InputError("others");
  });
  EXPECT_EQ(code, exit_failure);
}

// What rank 0 still writes may take long: nobody may lose patience, say it once more and end rank 0 while it writes.
TEST(Outcome, OneThatIsSlowToEndIsWaitedForWhereAllAgreed) {
  const auto comm = Communicator::world();
  const Patience patience{0.1, 60};
  const auto slow = [&] {
    if (comm.is_root()) std::this_thread::sleep_for(std::chrono::milliseconds(800));
  };
  const auto ends_with = [&](const std::function<void()>& fail, int code) {
    const auto body = [&]() -> int {
      try {
        comm.attempt(fail);
      } catch (...) {
        slow();
        throw;
      }
      return exit_success;
    };
    EXPECT_EQ(end_together(Communicator::world(), body, patience), code);
  };
  ends_with([] { throw InputError("agreed"); }, exit_usage);
  ends_with([] { throw RunError("agreed"); }, exit_failure);
  ends_with([] { throw Interrupted(); }, exit_interrupted);
  ends_with(
      [&] {
        if (comm.rank() == comm.size() - 1) throw InternalError("agreed");
      },
      exit_failure);
}

}  // namespace
}  // namespace cohort
