// How the ranks end together: one exit code for all, whichever ranks failed.
#include "cli/outcome.hpp"

#include <gtest/gtest.h>

#include <new>

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

}  // namespace
}  // namespace cohort
