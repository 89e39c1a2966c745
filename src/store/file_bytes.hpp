// Bytes of a file at given places, by this rank alone. Local, all of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cohort {

/// An open file. Short transfers and interrupted calls go on; what fails is thrown with the system's reason.
class FileBytes {
 public:
  FileBytes() = default;
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  /// Throws InputError: no such file, no right to read it, no file at all.
  void open_to_read(const std::string& path);
  /// An existing file. `name` stands for it in messages. Throws RunError.
  void open_to_write(const std::string& path, const std::string& name);
  /// A new file in memory, of `bytes` zeros, which take no room until they are written. Throws RunError.
  void open_in_memory(const std::string& name, std::int64_t bytes);
  bool is_open() const { return descriptor_ >= 0; }
  /// Under which this process may open it once more, also where it is in memory.
  std::string own_path() const;

  std::int64_t size() const;
  /// Throws InputError; also where the file ends before.
  void read(std::int64_t offset, std::int64_t bytes, char* into) const;
  /// Throws RunError.
  void write(std::int64_t offset, std::int64_t bytes, const char* from) const;
  /// Gets `bytes` of room, so that a full disk is known before anything is written. Throws RunError.
  void reserve(std::int64_t bytes) const;
  /// Has everything on disk and closes. Throws RunError.
  void finish();

 private:
  void close();

  std::string path_;  // for messages
  int descriptor_ = -1;
};

/// Gives the file at `path`, if there is one, the name `kept` too, or only that where the file system has no links.
/// temporary: a free name beside them. Throws RunError.
void keep_as(const std::string& path, const std::string& kept, const std::string& temporary);

/// Renames `from` to `to` and has the directory's entry on disk. Throws RunError.
void rename_durably(const std::string& from, const std::string& to);

}  // namespace cohort
