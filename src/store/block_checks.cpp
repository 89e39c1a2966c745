#include "store/block_checks.hpp"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>

#include "core/error.hpp"

namespace cohort::h5 {

namespace {

void join(BlockPiece& first, const BlockPiece& second) {
  first.crc = static_cast<std::uint32_t>(::crc32_combine(first.crc, second.crc, second.bytes));
  first.bytes += second.bytes;
}

}  // namespace

// The same CRC as zlib's, several times as fast as the zlib of Debian.
std::uint32_t crc_of(std::string_view bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

void BlockPieces::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto block = at_ / block_bytes;
    const auto now = bytes.substr(0, static_cast<std::size_t>((block + 1) * block_bytes - at_));
    const BlockPiece piece{block, std::ssize(now), crc_of(now)};
    if (!pieces_.empty() && pieces_.back().block == block) {
      join(pieces_.back(), piece);
    } else {
      pieces_.push_back(piece);
    }
    at_ += std::ssize(now);
    bytes.remove_prefix(now.size());
  }
}

std::vector<std::uint32_t> joined(std::span<const BlockPiece> pieces, std::int64_t bytes) {
  std::vector<BlockPiece> blocks;
  for (const auto& piece : pieces) {
    if (!blocks.empty() && blocks.back().block == piece.block) {
      join(blocks.back(), piece);
    } else {
      blocks.push_back(piece);
    }
  }
  COHORT_CHECK(std::ssize(blocks) == blocks_of(bytes));
  std::vector<std::uint32_t> crcs;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto first = static_cast<std::int64_t>(b) * block_bytes;
    COHORT_CHECK(blocks[b].block == static_cast<std::int64_t>(b) &&
                 blocks[b].bytes == std::min(block_bytes, bytes - first));
    crcs.push_back(blocks[b].crc);
  }
  return crcs;
}

}  // namespace cohort::h5
