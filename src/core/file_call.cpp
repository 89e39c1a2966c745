#include "core/file_call.hpp"

#include <mutex>

namespace cohort {

namespace {

std::mutex mutex;
const FileCall* innermost = nullptr;
std::uint64_t calls = 0;

}  // namespace

FileCall::FileCall(const char* call, const std::string& file) : outer_(nullptr), call_(call), file_(file), number_(0) {
  const std::lock_guard lock(mutex);
  outer_ = innermost;
  number_ = ++calls;
  innermost = this;
}

FileCall::~FileCall() {
  const std::lock_guard lock(mutex);
  innermost = outer_;
}

std::optional<CallUnderWay> CallUnderWay::now() {
  const std::lock_guard lock(mutex);
  if (!innermost) return std::nullopt;
  return CallUnderWay{innermost->call_, innermost->file_, innermost->number_};
}

}  // namespace cohort
