// The two kinds of failure that Cohort tells apart: what the user can mend (InputError) and what we broke (CHECK); and
// how a run ends that was asked to (Interrupted).
// Only the command line decides what a failure means for the process; see comm/communicator.hpp for how a failure on
// one rank becomes the same failure on all.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace cohort {

/// The user's to mend: a message says what is wrong, where (file:line, key), and what to do. Exit code 2.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What is there is too little to learn from or to cluster: of a part of the data, such as what is left when some of it
/// is held back, the caller may do without.
class TooLittleError : public InputError {
 public:
  using InputError::InputError;
};

/// Training cannot go on: divergence, no memory, a full disk. Exit code 1.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Our defect: a condition that CHECK states did not hold. Exit code 1.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Not a failure: somebody asked the run to end (core/interruption.hpp), all ranks agreed to, and nothing is lost. What
/// it says is how to go on. Of a type that no handler of failures catches. Exit code 3.
class Interrupted {
 public:
  explicit Interrupted(std::string how_to_go_on = "the same command again goes on")
      : how_to_go_on_(std::move(how_to_go_on)) {}
  const std::string& how_to_go_on() const noexcept { return how_to_go_on_; }

 private:
  std::string how_to_go_on_;
};

/// Mixed into a failure that all ranks throw together, since they agreed on it (Communicator::attempt).
class AgreedFailure {
 public:
  virtual ~AgreedFailure() = default;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line, const std::string& detail);

}  // namespace cohort

/// States what must hold if Cohort is right; stays in release builds, so it guards structure, never inner loops.
#define COHORT_CHECK(condition, ...)                                                      \
  do {                                                                                    \
    if (!(condition)) [[unlikely]]                                                        \
      ::cohort::check_failed(#condition, __FILE__, __LINE__, ::std::string{__VA_ARGS__}); \
  } while (false)
