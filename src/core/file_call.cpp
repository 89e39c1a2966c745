#include "core/file_call.hpp"

#include <mutex>

namespace cohort {

namespace {

std::mutex mutex;
const FileCall* newest = nullptr;
std::uint64_t calls = 0;

}  // namespace

FileCall::FileCall(const char* call, const std::string& file) : call_(call), file_(file) {
  const std::lock_guard lock(mutex);
  number_ = ++calls;
  older_ = newest;
  if (older_) older_->newer_ = this;
  newest = this;
}

FileCall::~FileCall() {
  const std::lock_guard lock(mutex);
  if (older_) older_->newer_ = newer_;
  (newer_ ? newer_->older_ : newest) = older_;
}

std::optional<CallUnderWay> CallUnderWay::now() {
  const std::lock_guard lock(mutex);
  if (!newest) return std::nullopt;
  return CallUnderWay{newest->call_, newest->file_, newest->number_};
}

}  // namespace cohort
