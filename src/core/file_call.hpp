// Which call to the file system this process is in, so that another thread can say so where it does not come back (a
// network file system whose server is gone). Any thread may make calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cohort {

/// Registers a call to the file system while it lives, as `const FileCall guard("H5Dwrite", path);` around one that
/// moves a bounded number of bytes. Of several the newest is the one that is reported, so that one that never comes
/// back is once the others have ended. Cheap. Local.
class FileCall {
 public:
  /// call: a literal. file: must outlive the guard.
  FileCall(const char* call, const std::string& file);
  ~FileCall();
  FileCall(const FileCall&) = delete;
  FileCall& operator=(const FileCall&) = delete;

 private:
  // The others that live, in a list that guards of any thread leave in any order.
  mutable const FileCall* older_ = nullptr;
  mutable const FileCall* newer_ = nullptr;
  const char* call_;
  const std::string& file_;
  std::uint64_t number_ = 0;

  friend struct CallUnderWay;
};

/// The call that this process is in.
struct CallUnderWay {
  std::string call;
  std::string file;
  std::uint64_t number;  ///< another one for each call: the same number twice is the same call

  /// None while no FileCall lives. Safe in any thread. Local.
  static std::optional<CallUnderWay> now();
};

}  // namespace cohort
