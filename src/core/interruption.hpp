// Whether somebody asked the run to end: a flag that the command line's signal thread raises (cli/signals.hpp) and that
// stages look at where they can stop. Each rank has its own, so ranks agree before they act on it
// (Communicator::stop_if_interrupted).
#pragma once

namespace cohort {

/// Whether this process was asked to end. Cheap. Local.
bool interruption_requested() noexcept;

/// Asks this process to end; for ever. Safe in any thread. Local.
void request_interruption() noexcept;

/// Throws Interrupted if this process was asked to end; for inside Communicator::attempt, which makes it every rank's.
/// Local.
void end_if_interrupted();

/// While one lives, this process may be ended at any moment without losing anything. Around long calls that cannot look
/// at the flag, on all ranks that wait for one of them. Local.
class Abandonable {
 public:
  Abandonable() noexcept;
  ~Abandonable();
  Abandonable(const Abandonable&) = delete;
  Abandonable& operator=(const Abandonable&) = delete;

  /// Whether one lives. Safe in any thread.
  static bool any() noexcept;
};

}  // namespace cohort
