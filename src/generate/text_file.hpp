// A text file that all ranks write together, each its own part; a reader never sees half of it. For generate/ and the
// command line.
#pragma once

#include <span>
#include <string>

#include "comm/communicator.hpp"

namespace cohort {

/// Has a temporary name until commit(); without commit() it is removed.
class TextFile {
 public:
  /// Throws InputError where the file cannot be created. Collective.
  TextFile(const Communicator& comm, std::string path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  /// The whole content: this rank's pieces after those of the ranks below it; on disk when it returns. Once. Throws
  /// RunError where a write fails. Collective.
  void write(std::span<const std::string> pieces);
  /// Gives the file its name. Throws RunError. Collective.
  void commit();

 private:
  Communicator comm_;
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

}  // namespace cohort
