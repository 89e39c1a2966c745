// How long a stage's loops (core/work_done.hpp) will still take: a bar where a person watches, a line now and then
// where standard error is a file.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "comm/communicator.hpp"
#include "core/work_done.hpp"

namespace cohort {

/// "recommend: 40 % of the lists, 12 s left", after so many seconds. Local.
std::string work_text(const std::string& what, double seconds, std::int64_t done, std::int64_t total);

/// As long as it lives. One at a time. Rank 0 shows it, and only where information is logged at all. Local.
class WorkProgress {
 public:
  /// what: "recommend", the stage.
  WorkProgress(const Communicator& comm, std::string what);
  /// Takes the bar away.
  ~WorkProgress();
  WorkProgress(const WorkProgress&) = delete;
  WorkProgress& operator=(const WorkProgress&) = delete;

 private:
  WorkListener before_ = nullptr;
};

/// "partition: 20 s, about 50 s left", after so many of the seconds that were expected. Local.
std::string waiting_text(const std::string& what, double seconds, double expected);

/// The same for a call of a library that says nothing of itself, as long as it lives: how long it has taken, and how
/// long it is expected to. Shown by a thread of its own. Local.
class WaitingProgress {
 public:
  WaitingProgress(const Communicator& comm, std::string what, double expected_seconds);
  ~WaitingProgress();
  WaitingProgress(const WaitingProgress&) = delete;
  WaitingProgress& operator=(const WaitingProgress&) = delete;

 private:
  void show();

  std::string what_;
  double expected_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace cohort
