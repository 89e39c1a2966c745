// Text of all ranks in the order of ranks, through rank 0, a piece at a time: for output that no rank could hold.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include "comm/communicator.hpp"

namespace cohort {

class TextOutput {
 public:
  /// Standard output where `path` is empty; else a file under a temporary name until commit(). Rank 0 writes. Throws
  /// InputError. Collective.
  TextOutput(const Communicator& comm, std::string path);
  ~TextOutput();
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;

  /// Every rank's pieces, those of rank 0 first: next(piece) fills in a rank's next piece, false after its last. Throws
  /// RunError where writing fails. Collective.
  void write(const std::function<bool(std::string&)>& next);
  /// What rank 0 says, once.
  void write_once(const std::string& text);
  /// Renames the file. Collective.
  void commit();

 private:
  void put(std::string_view text);

  Communicator comm_;
  std::string path_;
  std::string temporary_;
  std::FILE* stream_ = nullptr;  // rank 0's
};

}  // namespace cohort
