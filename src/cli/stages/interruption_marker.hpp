// interrupted.json beside the checkpoint: what a batch script needs to know before it asks to be started again. The
// launcher's exit code does not say it: it may be 1 where the program's is 3.
#pragma once

#include <functional>
#include <string>

#include "cli/session.hpp"

namespace cohort {

struct InterruptionMarker {
  bool interrupted = false;  ///< the last run in the directory ended by a signal, and nothing is lost
  bool progress = false;     ///< it left more training on disk than it found: the next one will come further
  std::string how_to_go_on;
};

/// Runs `body`, which works in the session's directory. The marker of an earlier run is removed before; where body
/// throws Interrupted, one is left. Collective.
void with_marker(const Session& session, const std::function<void()>& body);

/// The marker of the session's directory; none, or one that cannot be read: not interrupted. The same on all ranks.
/// Collective.
InterruptionMarker read_marker(const Session& session);

}  // namespace cohort
