// Where a command's text goes: standard output, a file that appears under its name only when it is whole, or, where the
// name is of a device, a pipe or a link, what stands there, written through. Local, all of it.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

class OutputFile {
 public:
  /// Standard output where `path` is empty. Throws InputError: a directory, a place that cannot be written.
  explicit OutputFile(std::string path);
  /// Without commit() nothing is left of a file.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Throws RunError.
  void write(std::string_view text);
  /// Has everything on disk, and the file under its name. Throws RunError.
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::string path_;
  std::string temporary_;  // empty: written through
  int descriptor_ = -1;
};

/// Throws InputError where an OutputFile of this name could not be made; for finding out before the work is done.
void check_output_path(const std::string& path);

/// Writes all of `text`, waiting for a terminal or a pipe that does not block; returns 0, or errno.
int write_all(int descriptor, std::string_view text);

/// Writes to standard output at once. Throws RunError where it takes nothing (a full disk, a closed pipe).
void write_standard_output(std::string_view text);

}  // namespace cohort
