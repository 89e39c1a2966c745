#include "core/interruption.hpp"

#include <atomic>

#include "core/error.hpp"

namespace cohort {

namespace {

std::atomic<bool> requested{false};

std::atomic<int> abandonable{0};

}  // namespace

bool interruption_requested() noexcept {
  return requested.load(std::memory_order_relaxed);
}

void request_interruption() noexcept {
  requested.store(true, std::memory_order_relaxed);
}

void end_if_interrupted() {
  if (interruption_requested()) throw Interrupted();
}

Abandonable::Abandonable() noexcept {
  ++abandonable;
}

Abandonable::~Abandonable() {
  --abandonable;
}

bool Abandonable::any() noexcept {
  return abandonable.load() > 0;
}

}  // namespace cohort
