#include "cli/outcome.hpp"

#include <cstdio>
#include <limits>
#include <new>
#include <string>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

// Long enough for ranks that all threw the same error to free what they hold.
constexpr double patience_seconds = 10.0;

struct Outcome {
  int code = exit_success;
  std::string message;
};

Outcome attempt_body(const std::function<int()>& body) {
  try {
    return {body(), ""};
  } catch (const InputError& error) {
    return {exit_usage, error.what()};
  } catch (const std::bad_alloc&) {
    return {exit_failure, "out of memory; use more ranks or nodes, or a smaller model.dim"};
  } catch (const std::exception& error) {
    return {exit_failure, error.what()};
  } catch (...) {
    return {exit_failure, "an unknown exception"};
  }
}

}  // namespace

int end_together(const Communicator& comm, const std::function<int()>& body) {
  const auto outcome = attempt_body(body);
  const bool failed = !outcome.message.empty();
  if (!comm.barrier_within(failed ? patience_seconds : std::numeric_limits<double>::infinity())) {
    std::fprintf(stderr, "cohort: rank %d: %s\n", comm.rank(), printable(outcome.message).c_str());
    std::fflush(stderr);
    Communicator::abort(outcome.code);
  }
  const int failing = comm.min(failed ? comm.rank() : comm.size());
  if (failing == comm.rank()) std::fprintf(stderr, "cohort: error: %s\n", printable(outcome.message).c_str());
  const int first = failing < comm.size() ? failing : 0;
  return comm.all_gather(outcome.code)[static_cast<std::size_t>(first)];
}

}  // namespace cohort
