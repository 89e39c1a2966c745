// Bytes of an input file in order, plain or decompressed: what the line reader reads from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cohort {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads up to `size` bytes; 0 only at the end. Throws InputError, which names the file.
  virtual std::size_t read(char* data, std::size_t size) = 0;
};

/// A regular file, open for reading. Opening throws InputError: missing, not permitted, a directory, no regular file.
class PlainFile final : public ByteSource {
 public:
  explicit PlainFile(const std::string& path);
  ~PlainFile() override;
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  std::int64_t size() const { return size_; }
  /// The next read starts at `offset`.
  void seek(std::int64_t offset) { position_ = offset; }
  std::size_t read(char* data, std::size_t size) override;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  std::int64_t position_ = 0;
};

/// The first bytes of a source, fewer only where it ends. Throws what the source throws.
std::string first_bytes(ByteSource& source, std::size_t most);

}  // namespace cohort
