// What identifies an input file in a result: its name, size and SHA-256.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// SHA-256 of a file's bytes as 64 hexadecimal digits, read in bounded pieces. Throws InputError. Local.
std::string sha256_of_file(const std::string& path);

/// Files that are described while other work goes on: a thread of rank f mod P reads file f. The paths are rank 0's.
class DescribedFiles {
 public:
  /// Throws InputError where a file cannot be opened. `comm` must outlive it. Collective.
  DescribedFiles(const Communicator& comm, const std::vector<std::string>& paths);
  /// Reading ends early where nobody waited for it.
  ~DescribedFiles();
  DescribedFiles(const DescribedFiles&) = delete;
  DescribedFiles& operator=(const DescribedFiles&) = delete;

  /// Names and sizes; without the SHA-256 until whole() was called. Local.
  const std::vector<InputFile>& files() const { return files_; }
  /// All of them, once they are read. Throws what reading threw. Collective.
  const std::vector<InputFile>& whole();

 private:
  struct Reading;

  const Communicator& comm_;
  std::vector<InputFile> files_;
  std::unique_ptr<Reading> reading_;  // until whole()
};

/// The same at once. Collective.
std::vector<InputFile> describe_files(const Communicator& comm, const std::vector<std::string>& paths);

}  // namespace cohort
