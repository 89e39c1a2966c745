#include "train/pauses.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cohort {

namespace {

constexpr double seconds_between_agreements = 0.1;
// Steps may become slower than they were.
constexpr std::int64_t most_steps_between = 1024;

// As many steps as would have taken the time that is wanted between agreements; at most twice as many as last time.
std::int64_t next_steps(std::int64_t steps, double seconds) {
  const double wanted = static_cast<double>(steps) * seconds_between_agreements / std::max(seconds, 1e-9);
  const auto most = std::min(2 * steps, most_steps_between);
  return wanted >= static_cast<double>(most) ? most : std::max<std::int64_t>(1, std::llround(std::floor(wanted)));
}

}  // namespace

Pauses::Pauses(const Communicator& comm, double checkpoint_minutes, std::function<bool()> asked_to_end)
    : comm_(comm), checkpoint_seconds_(60 * checkpoint_minutes), asked_to_end_(std::move(asked_to_end)) {}

Pause Pauses::after_step() {
  if (--steps_left_ > 0) return Pause::none;
  // How many ranks were asked to end; and from rank 0 alone, whether a checkpoint is due and when to agree next.
  std::array<std::int64_t, 3> agreed{asked_to_end_() ? 1 : 0, 0, 0};
  if (comm_.is_root()) {
    agreed[1] = checkpoint_seconds_ > 0 && since_checkpoint_.seconds() >= checkpoint_seconds_ ? 1 : 0;
    agreed[2] = next_steps(steps_between_, since_agreement_.seconds());
  }
  comm_.sum_in_place(std::span<std::int64_t>(agreed));
  since_agreement_ = Stopwatch();
  steps_left_ = steps_between_ = agreed[2];
  if (agreed[0] > 0) return Pause::interruption;
  return agreed[1] > 0 ? Pause::checkpoint : Pause::none;
}

}  // namespace cohort
