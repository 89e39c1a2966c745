#include "cli/outcome.hpp"

#include <cstdio>
#include <limits>
#include <new>

#include "cli/output/log_file.hpp"
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

// By one call, so that it stays one line beside those of other threads and ranks.
void say_line(const std::string& text) {
  std::fputs(("cohort: " + printable(text) + "\n").c_str(), stderr);
  std::fflush(stderr);
}

Outcome attempt_body(const std::function<int()>& body) {
  try {
    return {body(), ""};
  } catch (const Interrupted& interrupted) {
    return {exit_interrupted, interrupted.how_to_go_on()};
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

void say_error(const std::string& message) {
  say_line("error: " + message);
  add_to_log_file("error", message);
}

void say_interrupted(const std::string& how_to_go_on) {
  say_line("interrupted; " + how_to_go_on);
  add_to_log_file("warning", "interrupted; " + how_to_go_on);
}

int end_together(const Communicator& comm, const std::function<int()>& body) {
  const auto outcome = attempt_body(body);
  const bool failed = !outcome.message.empty();
  if (!comm.barrier_within(failed ? patience_seconds : std::numeric_limits<double>::infinity())) {
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
