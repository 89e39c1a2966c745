#include "core/work_done.hpp"

#include <utility>

namespace cohort {

namespace {

WorkListener current = nullptr;

}  // namespace

void note_work(std::int64_t done, std::int64_t total) {
  if (current) current(done, total);
}

WorkListener listen_to_work(WorkListener listener) {
  return std::exchange(current, listener);
}

}  // namespace cohort
