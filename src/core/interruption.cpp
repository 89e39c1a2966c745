#include "core/interruption.hpp"

#include <atomic>

namespace cohort {

namespace {

std::atomic<bool> requested{false};

}  // namespace

bool interruption_requested() noexcept {
  return requested.load(std::memory_order_relaxed);
}

void request_interruption() noexcept {
  requested.store(true, std::memory_order_relaxed);
}

}  // namespace cohort
