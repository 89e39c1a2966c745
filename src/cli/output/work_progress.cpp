#include "cli/output/work_progress.hpp"

#include <fmt/format.h>

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

WorkProgress::~WorkProgress() {
  if (!shown) return;
  listen_to_work(before_);
  shown.reset();
  Progress::end_bar();
}

}  // namespace cohort
