// What the program says on standard error, on rank 0 alone: lines with a time, and the progress of training as a bar
// where a person watches. Results go to standard output (say()).
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"
#include "core/stopwatch.hpp"

namespace cohort {

/// The default logger of this process: standard error on rank 0, nothing elsewhere; the thread that waits for signals
/// uses it too. Call once, in main. Local.
void start_logging(const Communicator& comm);

/// Text for standard output, on rank 0, in whole lines. Throws RunError where it cannot be written. Collective.
void say(const Communicator& comm, const std::string& text);

/// How long it takes, to two figures: "12 s", "3 min", "2 h 10 min". Local.
std::string in_time(double seconds);

/// The progress of a known number of steps: a bar that is redrawn where standard error is a terminal, a line for each
/// step where it is a file; with the time left as the steps so far took. Rank 0 draws it, and only where information is
/// logged at all. Local.
class Progress {
 public:
  /// done: steps that were made before, by an earlier run.
  Progress(const Communicator& comm, std::int64_t total, std::int64_t done = 0);
  /// Ends the bar's line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::int64_t done, const std::string& what);

  /// Whether rank 0 draws bars, and one of them, which nothing but the terminal sees. Local.
  static bool draws_bars();
  static void draw(std::int64_t done, std::int64_t total, const std::string& text);
  /// The next line begins in the bar's place.
  static void end_bar();

 private:
  std::string time_left(std::int64_t done) const;

  std::int64_t total_;
  std::int64_t before_;
  bool bar_;
  Stopwatch stopwatch_;
};

}  // namespace cohort
