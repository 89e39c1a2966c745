#include "cli/output/work_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "cli/output/logging.hpp"
#include "core/stopwatch.hpp"

namespace cohort {

namespace {

constexpr double line_seconds = 10;  // between two lines of a log
constexpr double redraw_seconds = 0.2;

struct Shown {
  std::string what;
  Stopwatch since;                // the loop began
  std::optional<Stopwatch> last;  // shown
};

std::optional<Shown> shown;

void show(std::int64_t done, std::int64_t total) {
  if (!shown) return;
  if (done == 0) {
    shown->since = Stopwatch();
    shown->last.reset();
    return;
  }
  const bool bar = Progress::draws_bars();
  const auto waited = shown->last ? shown->last->seconds() : shown->since.seconds();
  if (done >= total || waited < (bar ? redraw_seconds : line_seconds)) return;
  shown->last.emplace();
  const auto text = work_text(shown->what, shown->since.seconds(), done, total);
  if (bar) {
    Progress::draw(done, total, text);
  } else {
    spdlog::info("  {}", text);
  }
}

}  // namespace

std::string work_text(const std::string& what, double seconds, std::int64_t done, std::int64_t total) {
  const auto left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
  return fmt::format("{}: {} % of the lists, {} left", what, 100 * done / total, in_time(left));
}

WorkProgress::WorkProgress(const Communicator& comm, std::string what) {
  if (comm.is_root() && spdlog::should_log(spdlog::level::info)) {
    shown.emplace().what = std::move(what);
    before_ = listen_to_work(show);
  }
}

std::string waiting_text(const std::string& what, double seconds, double expected) {
  const auto left = expected - seconds;
  return fmt::format(
      "{}: {}, {}", what, in_time(seconds),
      left > 0 ? "about " + in_time(left) + " left" : "longer than the " + in_time(expected) + " expected");
}

WaitingProgress::WaitingProgress(const Communicator& comm, std::string what, double expected_seconds)
    : what_(std::move(what)), expected_(expected_seconds) {
  if (!comm.is_root() || !spdlog::should_log(spdlog::level::info)) return;
  // Signals are for the threads that were there: METIS takes some that it sends itself.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { show(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WaitingProgress::~WaitingProgress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  thread_.join();
  Progress::end_bar();
}

void WaitingProgress::show() {
  const Stopwatch stopwatch;
  const bool bar = Progress::draws_bars();
  const std::chrono::duration<double> pause(bar ? redraw_seconds : line_seconds);
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, pause, [this] { return over_; })) {
    const auto text = waiting_text(what_, stopwatch.seconds(), expected_);
    if (bar) {
      const auto total = static_cast<std::int64_t>(1e3 * expected_) + 1;
      Progress::draw(std::min(total, static_cast<std::int64_t>(1e3 * stopwatch.seconds())), total, text);
    } else {
      spdlog::info("  {}", text);
    }
  }
}

WorkProgress::~WorkProgress() {
  if (!shown) return;
  listen_to_work(before_);
  shown.reset();
  Progress::end_bar();
}

}  // namespace cohort
