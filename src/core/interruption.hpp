// Whether somebody asked the run to end: a flag that the command line's signal thread raises (cli/signals.hpp) and that
// stages look at where they can stop. Each rank has its own, so ranks agree before they act on it
// (Communicator::stop_if_interrupted).
#pragma once

namespace cohort {

/// Whether this process was asked to end. Cheap. Local.
bool interruption_requested() noexcept;

/// Asks this process to end; for ever. Safe in any thread. Local.
void request_interruption() noexcept;

}  // namespace cohort
