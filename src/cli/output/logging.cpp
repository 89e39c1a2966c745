#include "cli/output/logging.hpp"

#include <spdlog/details/os.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <utility>

#include "cli/output/console.hpp"
#include "cli/output/log_file.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

constexpr const char* clear_line = "\r\x1b[K";

// Whether the progress bar stands on the terminal's last line.
bool bar_open = false;

const char* colour_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::warn:
      return "\x1b[33m\x1b[1m";
    case spdlog::level::err:
    case spdlog::level::critical:
      return "\x1b[31m\x1b[1m";
    default:
      return "\x1b[32m";
  }
}

// Standard error, a line in one write; the level in colour on a terminal.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // Names and paths of the user's are in it.
    const auto payload = printable({message.payload.data(), message.payload.size()});
    auto shown = message;
    shown.payload = payload;
    spdlog::memory_buf_t text;
    shown.color_range_start = 0;
    shown.color_range_end = 0;
    formatter_->format(shown, text);
    std::string line(text.data(), text.size());
    if (colour_ && shown.color_range_end > shown.color_range_start) {
      line.insert(shown.color_range_end, "\x1b[m");
      line.insert(shown.color_range_start, colour_of(shown.level));
    }
    write_lines(STDERR_FILENO, std::exchange(bar_open, false) ? clear_line + line : line);
  }
  void flush_() override {}

 private:
  bool colour_ = ::isatty(STDERR_FILENO) != 0 && spdlog::details::os::is_color_terminal();
};

}  // namespace

void start_logging(const Communicator& comm) {
  spdlog::sink_ptr sink;
  if (comm.is_root()) {
    sink = std::make_shared<LineSink>();
  } else {
    sink = std::make_shared<spdlog::sinks::null_sink_mt>();
  }
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("cohort", std::move(sink)));
  spdlog::set_pattern("[%T] %^%l%$ %v");
}

void say(const Communicator& comm, const std::string& text) {
  comm.attempt([&] {
    if (!comm.is_root()) return;
    if (std::exchange(bar_open, false)) write_lines(STDERR_FILENO, clear_line);
    write_lines(STDOUT_FILENO, text);
    check_output();
  });
}

std::string in_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::max(0.0, seconds)));
  if (whole < 120) return fmt::format("{} s", whole);
  const auto minutes = (whole + 30) / 60;
  if (minutes < 120) return fmt::format("{} min", minutes);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

Progress::Progress(const Communicator& comm, std::int64_t total, std::int64_t done)
    : total_(std::max<std::int64_t>(1, total)),
      before_(done),
      bar_(comm.is_root() && draws_bars() && spdlog::should_log(spdlog::level::info)) {}

Progress::~Progress() {
  if (std::exchange(bar_open, false)) write_lines(STDERR_FILENO, "\n");
}

std::string Progress::time_left(std::int64_t done) const {
  if (done <= before_ || done >= total_) return "";
  const auto each = stopwatch_.seconds() / static_cast<double>(done - before_);
  return fmt::format(", {} left", in_time(each * static_cast<double>(total_ - done)));
}

void Progress::step(std::int64_t done, const std::string& what) {
  const auto text = what + time_left(done);
  if (!bar_) {
    spdlog::info("{}", text);
    return;
  }
  add_to_log_file("info", text);
  draw(done, total_, text);
}

bool Progress::draws_bars() {
  return ::isatty(STDERR_FILENO) != 0;
}

void Progress::end_bar() {
  if (std::exchange(bar_open, false)) write_lines(STDERR_FILENO, clear_line);
}

void Progress::draw(std::int64_t done, std::int64_t total, const std::string& text) {
  constexpr std::int64_t width = 24;
  const auto filled = static_cast<std::size_t>(std::min(width, width * done / total));
  const auto bar = std::string(filled, '#') + std::string(width - filled, '.');
  write_lines(STDERR_FILENO, fmt::format("\r[{}] {}\x1b[K", bar, text));
  bar_open = true;
}

}  // namespace cohort
