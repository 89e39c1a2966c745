// main of every MPI test: all ranks run the same tests; a failure on any rank fails the program, and only failing ranks
// beyond the first say anything.
#include <gtest/gtest.h>

#include "comm/communicator.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Open MPI unloads its plugins before leaks are looked for, which then have no names that lsan.supp could match.
extern "C" int dlclose(void* /*library*/) {
  return 0;
}
#endif

namespace {

class FailuresOnly : public testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : rank_(rank) {}

 private:
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) {
      fprintf(stderr, "[rank %d] %s:%d: %s\n", rank_, result.file_name(), result.line_number(), result.message());
    }
  }
  int rank_;
};

}  // namespace

int main(int argc, char** argv) {
  cohort::MpiEnvironment mpi(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  const auto comm = cohort::Communicator::world();
  if (!comm.is_root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly(comm.rank()));
  }
  const int failed = RUN_ALL_TESTS();
  return comm.max(failed);
}
