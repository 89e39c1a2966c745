#include "store/seal.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "core/error.hpp"
#include "store/block_checks.hpp"

namespace cohort::h5 {

// Numbers and data go to the file as they stand in memory.
static_assert(std::endian::native == std::endian::little, "Cohort's files are little-endian");

namespace {

constexpr std::string_view line =
    "Cohort file: HDF5 behind this block of 8192 bytes; cohort info shows what it holds\n";
constexpr std::uint64_t seal_version = 1;
constexpr std::size_t numbers_at = 128;
constexpr std::size_t mark_at = seal_bytes - 8;
constexpr std::size_t most_extents = (mark_at - numbers_at) / 8 / 2 - 2;

using Block = std::array<char, seal_bytes>;

std::uint64_t number_at(const Block& block, std::size_t offset) {
  std::uint64_t number = 0;
  std::memcpy(&number, block.data() + offset, sizeof(number));
  return number;
}

std::uint64_t own_crc(const Block& block) {
  return crc_of({block.data(), mark_at});
}

// The largest extents, ascending, neighbours as one. What is left out counts as structure, which is checked all the
// same.
std::vector<Extent> chosen(std::vector<Extent> extents) {
  std::erase_if(extents, [](const Extent& extent) { return extent.bytes == 0; });
  std::ranges::sort(extents, {}, &Extent::offset);
  std::vector<Extent> runs;
  for (const auto& extent : extents) {
    if (!runs.empty() && runs.back().offset + runs.back().bytes == extent.offset) {
      runs.back().bytes += extent.bytes;
    } else {
      runs.push_back(extent);
    }
  }
  if (runs.size() > most_extents) {
    std::ranges::stable_sort(runs, std::greater<>(), &Extent::bytes);
    runs.resize(most_extents);
    std::ranges::sort(runs, {}, &Extent::offset);
  }
  return runs;
}

// copy: takes each part at its place as well, where it is open.
std::uint32_t structure_crc(const FileBytes& file, std::int64_t bytes, const std::vector<Extent>& extents,
                            const FileBytes& copy) {
  std::uint32_t crc = 0;
  std::vector<char> buffer;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; begin += block_bytes) {
      buffer.resize(std::min(block_bytes, end - begin));
      file.read(begin, std::ssize(buffer), buffer.data());
      if (copy.is_open()) copy.write(begin, std::ssize(buffer), buffer.data());
      crc =
          static_cast<std::uint32_t>(::crc32_combine(crc, crc_of({buffer.data(), buffer.size()}), std::ssize(buffer)));
    }
  };
  std::int64_t at = seal_bytes;
  for (const auto& extent : extents) {
    add(at, extent.offset);
    at = extent.offset + extent.bytes;
  }
  add(at, bytes);
  return crc;
}

}  // namespace

void write_seal(const FileBytes& file, std::vector<Extent> extents) {
  extents = chosen(std::move(extents));
  Block block{};
  std::ranges::copy(line, block.begin());
  std::size_t at = numbers_at;
  const auto put = [&](std::uint64_t number) {
    std::memcpy(block.data() + at, &number, sizeof(number));
    at += sizeof(number);
  };
  const auto bytes = file.size();
  put(seal_version);
  put(static_cast<std::uint64_t>(bytes));
  put(structure_crc(file, bytes, extents, FileBytes()));
  put(extents.size());
  for (const auto& extent : extents) {
    put(static_cast<std::uint64_t>(extent.offset));
    put(static_cast<std::uint64_t>(extent.bytes));
  }
  const auto mark = own_crc(block);
  at = mark_at;
  put(mark);
  file.write(0, seal_bytes, block.data());
}

FileStart file_start(const FileBytes& file) {
  constexpr std::string_view signature("\x89HDF\r\n\x1a\n", 8);
  std::array<char, line.size()> found{};
  const auto size = file.size();
  const auto starts_with = [&](std::string_view start) {
    return size >= std::ssize(start) && std::string_view(found.data(), found.size()).starts_with(start);
  };
  file.read(0, std::min(size, std::ssize(found)), found.data());
  if (starts_with(signature)) return FileStart::plain_hdf5;
  return starts_with(line.substr(0, 12)) ? FileStart::sealed : FileStart::other;
}

std::uint64_t seal_mark(const FileBytes& file) {
  std::uint64_t mark = 0;
  if (file.size() >= seal_bytes) {
    std::array<char, sizeof(mark)> bytes{};
    file.read(static_cast<std::int64_t>(mark_at), std::ssize(bytes), bytes.data());
    std::memcpy(&mark, bytes.data(), sizeof(mark));
  }
  return mark;
}

std::uint64_t check_seal(const FileBytes& file, const std::string& path, FileBytes& structure) {
  const auto damaged = [&](const std::string& how) {
    return InputError(path + " is damaged: " + how + "; put back a copy, or make it again");
  };
  const auto size = file.size();
  if (size < seal_bytes) throw damaged("it was cut short");
  Block block{};
  file.read(0, seal_bytes, block.data());
  const auto mark = number_at(block, mark_at);
  if (mark != own_crc(block)) throw damaged("its first bytes are not those that were written");
  if (number_at(block, numbers_at) != seal_version) {
    throw InputError(path + " was written by a newer Cohort; use that one");
  }
  const auto bytes = static_cast<std::int64_t>(number_at(block, numbers_at + 8));
  if (size < bytes) {
    throw damaged("it was cut short (" + std::to_string(size) + " of " + std::to_string(bytes) + " bytes)");
  }
  if (size > bytes) throw damaged("something was written behind its end");
  const auto count = number_at(block, numbers_at + 24);
  std::vector<Extent> extents;
  std::int64_t end = seal_bytes;
  for (std::size_t i = 0; i < count && i < most_extents; ++i) {
    const auto at = numbers_at + 32 + 16 * i;
    extents.push_back(
        {static_cast<std::int64_t>(number_at(block, at)), static_cast<std::int64_t>(number_at(block, at + 8))});
    const auto& extent = extents.back();
    if (extent.offset < end || extent.bytes <= 0 || extent.bytes > bytes - extent.offset) {
      throw damaged("its first bytes do not fit together");
    }
    end = extent.offset + extent.bytes;
  }
  structure.open_in_memory("the structure of " + path + " in memory", bytes);
  if (structure_crc(file, bytes, extents, structure) != number_at(block, numbers_at + 16)) {
    throw damaged("its attributes, or the names and shapes of its datasets, are not those that were written");
  }
  return mark;
}

}  // namespace cohort::h5
