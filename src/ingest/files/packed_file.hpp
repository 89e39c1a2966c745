// Files that are compressed: gzip, bzip2, xz and zstd, with one member (stream, frame) or several.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/files/byte_source.hpp"

namespace cohort {

enum class Packing : std::int32_t { none, gzip, bzip2, xz, zstd };

/// What it is called, in messages; empty: none. Local.
std::string_view packing_name(Packing packing);

/// What the first bytes of a file say. Local.
Packing packing_of(std::string_view head);

/// What a file's name says: .gz, .bz2, .xz, .zst. Local.
Packing packing_named(std::string_view path);

/// The name without the ending that packing_named knows. Local.
std::string_view without_packing(std::string_view path);

/// One library's decompressor of one member.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  struct Step {
    std::size_t taken = 0;  ///< bytes of the input
    std::size_t made = 0;   ///< bytes of the output
    bool ended = false;     ///< the member ended with these
    std::string fault;      ///< what is damaged; empty: nothing
  };
  virtual Step step(std::string_view input, char* output, std::size_t room) = 0;
  /// The next member begins.
  virtual void restart() = 0;
};

/// What a compressed file unpacks to. Throws InputError where the data is damaged or ends early.
class PackedFile final : public ByteSource {
 public:
  PackedFile(const std::string& path, Packing packing);
  std::size_t read(char* data, std::size_t size) override;

 private:
  std::string path_;
  Packing packing_;
  PlainFile file_;
  std::vector<char> input_;
  std::string_view left_;  // of input_
  std::unique_ptr<Unpacker> unpacker_;
  bool member_open_ = false;
  bool ended_ = false;
};

}  // namespace cohort
