#include "ingest/files/packed_file.hpp"

#include <array>

#include "core/error.hpp"
#include "ingest/files/unpackers.hpp"

namespace cohort {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t packed_chunk = std::size_t{1} << 18;

struct Kind {
  Packing packing;
  std::string_view name, ending, mark;
};

constexpr std::array kinds = std::to_array<Kind>({
    {Packing::gzip, "gzip", ".gz", "\x1F\x8B"sv},
    {Packing::bzip2, "bzip2", ".bz2", "BZh"sv},
    {Packing::xz, "xz", ".xz", "\xFD\x37zXZ\x00"sv},
    {Packing::zstd, "zstd", ".zst", "\x28\xB5\x2F\xFD"sv},
});

// "BZh" may begin a text: the block size and the mark of the first block, or of the end, must follow.
bool is_bzip2(std::string_view head) {
  return head.size() >= 10 && head[3] >= '1' && head[3] <= '9' &&
         (head.substr(4, 6) == "1AY&SY" || head.substr(4, 6) == "\x17\x72\x45\x38\x50\x90"sv);
}

// Frames that hold no data, which pzstd and others put first.
bool is_skippable_frame(std::string_view head) {
  return head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xF0) == 0x50 &&
         head.substr(1, 3) == "\x2A\x4D\x18";
}

}  // namespace

std::string_view packing_name(Packing packing) {
  for (const auto& kind : kinds) {
    if (kind.packing == packing) return kind.name;
  }
  return "";
}

Packing packing_of(std::string_view head) {
  for (const auto& kind : kinds) {
    if (head.starts_with(kind.mark) && (kind.packing != Packing::bzip2 || is_bzip2(head))) return kind.packing;
  }
  return is_skippable_frame(head) ? Packing::zstd : Packing::none;
}

Packing packing_named(std::string_view path) {
  for (const auto& kind : kinds) {
    if (path.ends_with(kind.ending)) return kind.packing;
  }
  return Packing::none;
}

std::string_view without_packing(std::string_view path) {
  for (const auto& kind : kinds) {
    if (path.ends_with(kind.ending)) path.remove_suffix(kind.ending.size());
  }
  return path;
}

PackedFile::PackedFile(const std::string& path, Packing packing)
    : path_(path), packing_(packing), file_(path), input_(packed_chunk), unpacker_(make_unpacker(packing)) {}

std::size_t PackedFile::read(char* data, std::size_t size) {
  const auto data_is = [&] { return path_ + ": the " + std::string(packing_name(packing_)) + " data "; };
  bool no_progress = false;
  while (!ended_ && size > 0) {
    if (left_.empty() || no_progress) {
      if (!left_.empty()) throw InputError(data_is() + "is damaged (it does not go on); fetch the file again");
      left_ = {input_.data(), file_.read(input_.data(), input_.size())};
    }
    const bool at_end = left_.empty();
    if (!member_open_) {
      // Zero bytes after a member are padding (tapes, xz, some tools), as the tools themselves take them.
      left_.remove_prefix(std::min(left_.find_first_not_of('\0'), left_.size()));
      if (at_end) {
        ended_ = true;
        break;
      }
      if (left_.empty()) continue;
      member_open_ = true;
    }
    // Where the input has ended, what the library still holds comes out first.
    const auto step = unpacker_->step(left_, data, size);
    if (!step.fault.empty()) throw InputError(data_is() + "is damaged (" + step.fault + "); fetch the file again");
    left_.remove_prefix(step.taken);
    if (step.ended) {
      member_open_ = false;
      unpacker_->restart();
    }
    if (step.made > 0) return step.made;
    if (step.ended) continue;
    if (at_end) throw InputError(data_is() + "ends early; the file is truncated, fetch it again");
    no_progress = step.taken == 0 && !left_.empty();
  }
  return 0;
}

}  // namespace cohort
