#include "cli/logging.hpp"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/output_file.hpp"

namespace cohort {

void start_logging(const Communicator& comm) {
  spdlog::sink_ptr sink;
  if (comm.is_root()) {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_st>();
  } else {
    sink = std::make_shared<spdlog::sinks::null_sink_st>();
  }
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("cohort", std::move(sink)));
  spdlog::set_pattern("[%T] %^%l%$ %v");
}

void say(const Communicator& comm, const std::string& text) {
  comm.attempt([&] {
    if (comm.is_root()) write_standard_output(text);
  });
}

Progress::Progress(const Communicator& comm, std::int64_t total)
    : total_(std::max<std::int64_t>(1, total)),
      bar_(comm.is_root() && ::isatty(STDERR_FILENO) && spdlog::should_log(spdlog::level::info)) {}

Progress::~Progress() {
  if (open_) std::fputc('\n', stderr);
}

void Progress::step(std::int64_t done, const std::string& text) {
  if (!bar_) {
    spdlog::info("{}", text);
    return;
  }
  constexpr std::int64_t width = 24;
  const auto filled = static_cast<std::size_t>(std::min(width, width * done / total_));
  const auto bar = std::string(filled, '#') + std::string(width - filled, '.');
  std::fprintf(stderr, "\r[%s] %s\x1b[K", bar.c_str(), text.c_str());
  std::fflush(stderr);
  open_ = true;
}

}  // namespace cohort
