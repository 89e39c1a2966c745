// What the program says on standard error, on rank 0 alone: lines with a time, and the progress of training as a bar
// where a person watches. Results go to standard output (say()).
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"

namespace cohort {

/// The default logger of this process: standard error on rank 0, nothing elsewhere; the thread that waits for signals
/// uses it too. Call once, in main. Local.
void start_logging(const Communicator& comm);

/// Text for standard output, on rank 0, in whole lines. Throws RunError where it cannot be written. Collective.
void say(const Communicator& comm, const std::string& text);

/// The progress of a known number of steps: a bar that is redrawn where standard error is a terminal, a line for each
/// step where it is a file. Rank 0 draws it, and only where information is logged at all. Local.
class Progress {
 public:
  Progress(const Communicator& comm, std::int64_t total);
  /// Ends the bar's line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::int64_t done, const std::string& text);

 private:
  std::int64_t total_;
  bool bar_;
};

}  // namespace cohort
