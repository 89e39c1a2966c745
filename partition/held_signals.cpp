#include "partition/held_signals.hpp"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <vector>

namespace cohort {

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  sigaddset(&held_, SIGTERM);
  sigaddset(&held_, SIGABRT);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

bool HeldSignals::release() {
  if (!holding_) return false;
  holding_ = false;
  bool raised = false;
  std::vector<int> from_elsewhere;
  const timespec no_time{};
  for (;;) {
    siginfo_t info{};
    const int signal = sigtimedwait(&held_, &info, &no_time);
    if (signal < 0) {
      if (errno == EINTR) continue;
      break;
    }
    // Not by si_code: kernels differ in whether raise() reports SI_TKILL or SI_USER.
    if (info.si_pid == getpid()) {
      raised = true;
    } else {
      from_elsewhere.push_back(signal);
    }
  }
  for (const int signal : from_elsewhere) kill(getpid(), signal);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  return raised;
}

}  // namespace cohort
