#include "cli/output/log_file.hpp"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "cli/output/console.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

constexpr auto* pattern = "[%Y-%m-%d %T] %l %v";

// Of all ranks: any of them may be the one that says how the run ended.
std::string log_path;

int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
}

// A file that takes no more is given up, and it is said once.
class FileSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(int descriptor) : descriptor_(descriptor) {}
  ~FileSink() override { ::close(descriptor_); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (given_up_) return;
    const auto payload = printable({message.payload.data(), message.payload.size()});
    auto shown = message;
    shown.payload = payload;
    spdlog::memory_buf_t text;
    formatter_->format(shown, text);
    const int error = write_all(descriptor_, {text.data(), text.size()});
    if (error == 0) return;
    given_up_ = true;
    write_lines(STDERR_FILENO, "cohort: the log file " + printable(log_path) +
                                   " cannot be written: " + std::strerror(error) + "; it ends here\n");
  }
  void flush_() override {}

 private:
  int descriptor_;
  bool given_up_ = false;
};

}  // namespace

void log_to_file(const Communicator& comm, const std::string& path) {
  comm.attempt([&] {
    if (!comm.is_root()) return;
    check_output_path(path);
    const int descriptor = open_log(path);
    if (descriptor < 0) throw InputError("cannot write " + path + " (--log-file): " + std::strerror(errno));
    auto sink = std::make_shared<FileSink>(descriptor);
    sink->set_pattern(pattern);
    spdlog::default_logger()->sinks().push_back(std::move(sink));
  });
  log_path = path;
}

void add_to_log_file(const std::string& level, const std::string& text) {
  if (log_path.empty()) return;
  const int descriptor = open_log(log_path);
  if (descriptor < 0) return;
  const auto shown = printable(text);
  const spdlog::details::log_msg message("", spdlog::level::from_str(level), shown);
  spdlog::memory_buf_t line;
  spdlog::pattern_formatter(pattern).format(message, line);
  write_all(descriptor, {line.data(), line.size()});
  ::close(descriptor);
}

}  // namespace cohort
