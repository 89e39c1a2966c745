// How long a stage's loops (core/work_done.hpp) will still take: a bar where a person watches, a line now and then
// where standard error is a file.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace cohort
