// The checksums of a dataset: the CRC-32 (of zlib) of each block of 1 MiB of its bytes, the last one shorter. Internal
// to store/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cohort::h5 {

constexpr std::int64_t block_bytes = std::int64_t{1} << 20;

constexpr std::int64_t blocks_of(std::int64_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes;
}

/// Local.
std::uint32_t crc_of(std::string_view bytes);

/// What one rank knows of a block: the CRC of a run of its bytes.
struct BlockPiece {
  std::int64_t block = 0;
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;
};

/// The pieces of a run of bytes that begins at `begin` in the dataset, fed in order. Local.
class BlockPieces {
 public:
  explicit BlockPieces(std::int64_t begin) : at_(begin) {}
  void add(std::string_view bytes);
  const std::vector<BlockPiece>& pieces() const { return pieces_; }

 private:
  std::int64_t at_;
  std::vector<BlockPiece> pieces_;
};

/// The CRCs of all blocks from pieces in the order of the bytes, which they cover without gaps. Local.
std::vector<std::uint32_t> joined(std::span<const BlockPiece> pieces, std::int64_t bytes);

}  // namespace cohort::h5
