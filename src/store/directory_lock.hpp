// One run at a time writes into a directory. The lock is the kernel's on the open file DIRECTORY/.cohort.lock, so that
// it ends with the process, however that ends, also on network file systems; what the file says is for messages.
#pragma once

#include <string>

#include "comm/communicator.hpp"

namespace cohort {

/// This run, for names of temporary files and messages: "slurm-JOB" under Slurm, else "HOST-PROCESS". Local.
std::string job_name();

class DirectoryLock {
 public:
  /// Takes the lock, and removes the temporary files of runs that died in the directory. Throws InputError where
  /// another run has it, naming its host, job and process, or where the directory cannot be written. Collective.
  DirectoryLock(const Communicator& comm, const std::string& directory);
  /// Local.
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// Whether the file system has such locks; else nothing keeps a second run out. The same on all ranks. Local.
  bool holds() const { return holds_; }

 private:
  std::string path_;
  int descriptor_ = -1;  // rank 0's
  bool holds_ = false;
};

}  // namespace cohort
