// Bytes of an input file in order, plain or decompressed: what the line reader reads from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

/// What a gzip file decompresses to (several members too). Throws InputError where the data is damaged or ends early.
class GzipFile final : public ByteSource {
 public:
  explicit GzipFile(const std::string& path);
  ~GzipFile() override;
  std::size_t read(char* data, std::size_t size) override;

 private:
  struct Inflater;
  void next_input();

  std::string path_;
  PlainFile file_;
  std::vector<unsigned char> input_;
  std::unique_ptr<Inflater> inflater_;
  bool member_open_ = false;
  bool ended_ = false;
};

/// The first bytes of a source, fewer only where it ends. Throws what the source throws.
std::string first_bytes(ByteSource& source, std::size_t most);

/// Whether the file starts with gzip's two magic bytes. What every text file is asked before it is read: throws
/// InputError where its bytes, or those inside the gzip data, are of a format that Cohort does not read (named in the
/// message), and where it is named .gz and is none.
bool is_gzip(const std::string& path);

}  // namespace cohort
