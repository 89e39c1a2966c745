#include "cli/outcome.hpp"

#include <cstdio>
#include <limits>
#include <new>

#include "cli/output/log_file.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

struct Outcome {
  int code = exit_success;
  std::string message;
  bool agreed = false;  // all ranks have the same
};

Outcome failure(int code, const std::exception& error) {
  return {code, error.what(), dynamic_cast<const AgreedFailure*>(&error) != nullptr};
}

double patience_after(const Outcome& outcome, const Patience& patience) {
  if (outcome.message.empty()) return std::numeric_limits<double>::infinity();
  return outcome.agreed ? patience.together : patience.alone;
}

// By one call, so that it stays one line beside those of other threads and ranks.
void say_line(const std::string& text) {
  std::fputs(("cohort: " + printable(text) + "\n").c_str(), stderr);
  std::fflush(stderr);
}

Outcome attempt_body(const std::function<int()>& body) {
  try {
    return {body(), ""};
  } catch (const Interrupted& interrupted) {
    return {exit_interrupted, interrupted.how_to_go_on(), true};
  } catch (const InputError& error) {
    return failure(exit_usage, error);
  } catch (const std::bad_alloc&) {
    return {exit_failure, "out of memory; use more ranks or nodes, or a smaller model.dim"};
  } catch (const std::exception& error) {
    return failure(exit_failure, error);
  } catch (...) {
    return {exit_failure, "an unknown exception"};
  }
}

}  // namespace

void say_error(const std::string& message) {
  say_line("error: " + message);
  add_to_log_file("error", message);
}

void say_interrupted(const std::string& how_to_go_on) {
  say_line("interrupted; " + how_to_go_on);
  add_to_log_file("warning", "interrupted; " + how_to_go_on);
}

int end_together(const Communicator& comm, const std::function<int()>& body, const Patience& patience) {
  const auto outcome = attempt_body(body);
  const bool failed = !outcome.message.empty();
  if (!comm.barrier_within(patience_after(outcome, patience))) {
    Communicator::abort(outcome.code, "rank " + std::to_string(comm.rank()) + ": " + outcome.message);
  }
  const int failing = comm.min(failed ? comm.rank() : comm.size());
  if (failing == comm.rank()) {
    (outcome.code == exit_interrupted ? say_interrupted : say_error)(outcome.message);
  }
  const int first = failing < comm.size() ? failing : 0;
  return comm.all_gather(outcome.code)[first];
}

}  // namespace cohort
