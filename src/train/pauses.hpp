// When training looks up from its steps: to leave a checkpoint, or to end because somebody asked it to. For the
// trainer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "comm/communicator.hpp"
#include "core/stopwatch.hpp"

namespace cohort {

enum class Pause {
  none,
  checkpoint,    ///< long enough since the last one
  interruption,  ///< some rank was asked to end
};

/// The ranks agree after the first step, and then after so many steps as take a tenth of a second: nobody waits for
/// others after a step of microseconds, and a step of seconds is the last one. How many steps that is, rank 0 says when
/// they agree, so that all of them ask for the next agreement after the same one.
class Pauses {
 public:
  /// checkpoint_minutes: by rank 0's clock; 0: never. asked_to_end: asked on every rank, may be true on one alone. comm
  /// must outlive it. Local.
  Pauses(const Communicator& comm, double checkpoint_minutes, std::function<bool()> asked_to_end);

  /// After every step. The same on all ranks. Collective.
  Pause after_step();
  /// From now on time counts towards the next checkpoint. Local.
  void checkpoint_written() { since_checkpoint_ = Stopwatch(); }

 private:
  const Communicator& comm_;
  double checkpoint_seconds_;
  std::function<bool()> asked_to_end_;
  Stopwatch since_checkpoint_;
  Stopwatch since_agreement_;
  std::int64_t steps_between_ = 1;
  std::int64_t steps_left_ = 1;
};

}  // namespace cohort
