#include "ingest/features/zip_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::int64_t end_bytes = 22;     // of the record at the end, without the comment
constexpr std::int64_t entry_bytes = 46;   // of an entry of the directory, without names
constexpr std::int64_t header_bytes = 30;  // of a member's local header, alike
constexpr std::int64_t locator_bytes = 20;
constexpr std::int64_t most_members = 1'000'000;
constexpr std::uint64_t in_zip64 = 0xFFFFFFFF;

[[noreturn]] void refuse_damage(const std::string& path) {
  throw InputError(path + ": the zip archive is damaged or truncated; fetch or write it again");
}

std::string bytes_at(PlainFile& file, const std::string& path, std::int64_t offset, std::int64_t count) {
  if (offset < 0 || count < 0 || offset > file.size() - count) refuse_damage(path);
  file.seek(offset);
  auto bytes = first_bytes(file, static_cast<std::size_t>(count));
  if (std::ssize(bytes) != count) refuse_damage(path);
  return bytes;
}

// Little-endian.
std::uint64_t number(std::string_view bytes, std::int64_t at, std::int64_t size) {
  std::uint64_t value = 0;
  for (auto i = size; i-- > 0;) value = 256 * value + static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct Directory {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::int64_t members = 0;
};

Directory find_directory(PlainFile& file, const std::string& path) {
  const auto tail_size = std::min<std::int64_t>(file.size(), end_bytes + 65535);
  const auto tail = bytes_at(file, path, file.size() - tail_size, tail_size);
  const auto at = tail.rfind("PK\x05\x06");
  if (at == std::string::npos || std::ssize(tail) - static_cast<std::int64_t>(at) < end_bytes) refuse_damage(path);
  const auto end = static_cast<std::int64_t>(at);
  Directory found{static_cast<std::int64_t>(number(tail, end + 16, 4)),
                  static_cast<std::int64_t>(number(tail, end + 12, 4)),
                  static_cast<std::int64_t>(number(tail, end + 10, 2))};
  const auto locator_at = file.size() - tail_size + end - locator_bytes;
  if (locator_at < 0) return found;
  const auto locator = bytes_at(file, path, locator_at, locator_bytes);
  if (!locator.starts_with("PK\x06\x07")) return found;
  const auto wide = bytes_at(file, path, static_cast<std::int64_t>(number(locator, 8, 8)), 56);
  if (!wide.starts_with("PK\x06\x06")) refuse_damage(path);
  return {static_cast<std::int64_t>(number(wide, 48, 8)), static_cast<std::int64_t>(number(wide, 40, 8)),
          static_cast<std::int64_t>(number(wide, 32, 8))};
}

// Numbers that do not fit 32 bits stand in a field behind the name, in this order.
void take_wide_numbers(std::string_view extra, std::uint64_t& size, std::uint64_t& stored, std::uint64_t& header) {
  while (extra.size() >= 4) {
    const auto kind = number(extra, 0, 2);
    const auto length = static_cast<std::size_t>(number(extra, 2, 2));
    if (length > extra.size() - 4) return;
    auto field = extra.substr(4, length);
    if (kind == 1) {
      for (auto* const value : {&size, &stored, &header}) {
        if (*value != in_zip64 || field.size() < 8) continue;
        *value = number(field, 0, 8);
        field.remove_prefix(8);
      }
    }
    extra.remove_prefix(4 + length);
  }
}

class MemberSource final : public ByteSource {
 public:
  MemberSource(const std::string& path, const ZipMember& member)
      : name_(path + ":" + member.name), member_(member), file_(path), left_(member.stored) {
    const auto header = bytes_at(file_, path, member.header, header_bytes);
    if (!header.starts_with("PK\x03\x04")) refuse_damage(path);
    const auto begin =
        member.header + header_bytes + static_cast<std::int64_t>(number(header, 26, 2) + number(header, 28, 2));
    if (begin > file_.size() - member.stored) refuse_damage(path);
    file_.seek(begin);
    if (member.deflated && inflateInit2(&stream_, -15) != Z_OK) throw RunError("zlib could not be initialised");
  }
  ~MemberSource() override {
    if (member_.deflated) inflateEnd(&stream_);
  }
  MemberSource(const MemberSource&) = delete;
  MemberSource& operator=(const MemberSource&) = delete;

  std::size_t read(char* data, std::size_t size) override {
    size = std::min<std::size_t>(size, std::size_t{1} << 30);
    const auto got = member_.deflated ? inflate_some(data, size) : read_some(data, size);
    crc_ = static_cast<std::uint32_t>(crc32(crc_, reinterpret_cast<const Bytef*>(data), static_cast<uInt>(got)));
    given_ += static_cast<std::int64_t>(got);
    if (given_ > member_.size) refuse_damage(name_);
    const bool at_end = given_ == member_.size;
    if ((got == 0 && size > 0 && !at_end) || (at_end && crc_ != member_.crc)) refuse_damage(name_);
    return got;
  }

 private:
  std::size_t read_some(char* data, std::size_t size) {
    const auto got = file_.read(data, std::min(size, static_cast<std::size_t>(left_)));
    left_ -= static_cast<std::int64_t>(got);
    return got;
  }

  std::size_t inflate_some(char* data, std::size_t size) {
    stream_.next_out = reinterpret_cast<Bytef*>(data);
    stream_.avail_out = static_cast<uInt>(size);
    while (!ended_ && stream_.avail_out == size) {
      if (stream_.avail_in == 0) {
        input_.resize(std::size_t{1} << 17);
        stream_.avail_in = static_cast<uInt>(read_some(input_.data(), input_.size()));
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        if (stream_.avail_in == 0) break;
      }
      const int status = inflate(&stream_, Z_NO_FLUSH);
      ended_ = status == Z_STREAM_END;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) refuse_damage(name_);
    }
    return size - stream_.avail_out;
  }

  std::string name_;
  ZipMember member_;
  PlainFile file_;
  std::int64_t left_;  // stored bytes that are not read yet
  std::int64_t given_ = 0;
  std::uint32_t crc_ = 0;
  z_stream stream_{};
  std::vector<char> input_;
  bool ended_ = false;
};

}  // namespace

std::vector<ZipMember> zip_members(const std::string& path) {
  PlainFile file(path);
  const auto directory = find_directory(file, path);
  if (directory.members < 0 || directory.members > most_members) refuse_damage(path);
  const auto text = bytes_at(file, path, directory.offset, directory.bytes);
  std::vector<ZipMember> members;
  std::int64_t at = 0;
  for (std::int64_t m = 0; m < directory.members; ++m) {
    if (at > std::ssize(text) - entry_bytes) refuse_damage(path);
    const auto entry = std::string_view(text).substr(static_cast<std::size_t>(at));
    if (!entry.starts_with("PK\x01\x02")) refuse_damage(path);
    const auto name_size = static_cast<std::int64_t>(number(entry, 28, 2));
    const auto extra_size = static_cast<std::int64_t>(number(entry, 30, 2));
    const auto comment_size = static_cast<std::int64_t>(number(entry, 32, 2));
    if (entry_bytes + name_size + extra_size > std::ssize(entry)) refuse_damage(path);
    ZipMember member;
    member.name = entry.substr(entry_bytes, static_cast<std::size_t>(name_size));
    const auto method = number(entry, 10, 2);
    if ((number(entry, 8, 2) & 1) != 0 || (method != 0 && method != 8)) {
      throw InputError(path + ": its member " + member.name + " is encrypted or compressed in another way than NumPy " +
                       "does; write it again with numpy.savez or scipy.sparse.save_npz");
    }
    member.deflated = method == 8;
    member.crc = static_cast<std::uint32_t>(number(entry, 16, 4));
    auto stored = number(entry, 20, 4);
    auto size = number(entry, 24, 4);
    auto header = number(entry, 42, 4);
    take_wide_numbers(
        entry.substr(static_cast<std::size_t>(entry_bytes + name_size), static_cast<std::size_t>(extra_size)), size,
        stored, header);
    constexpr std::uint64_t beyond_files = std::uint64_t{1} << 60;
    if (stored > beyond_files || size > beyond_files || header > beyond_files) refuse_damage(path);
    member.stored = static_cast<std::int64_t>(stored);
    member.size = static_cast<std::int64_t>(size);
    member.header = static_cast<std::int64_t>(header);
    if (!member.deflated && member.stored != member.size) refuse_damage(path);
    members.push_back(std::move(member));
    at += entry_bytes + name_size + extra_size + comment_size;
  }
  return members;
}

std::unique_ptr<ByteSource> open_zip_member(const std::string& path, const ZipMember& member) {
  return std::make_unique<MemberSource>(path, member);
}

}  // namespace cohort
