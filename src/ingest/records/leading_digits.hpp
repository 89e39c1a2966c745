// Reads the decimal number at the start of a text: the ids of most data sets, so the innermost loop of parsing.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cohort {

struct LeadingDigits {
  std::uint64_t value = 0;  ///< modulo 2^64
  std::ptrdiff_t count = 0;
};

/// The digits at the start of [p, end); *end, where it may be looked at, is none. Bytes before `readable` may be looked
/// at. Up to seven digits are found and read without a branch, eight bytes at a time (Lemire, "Quickly parsing eight
/// digits", 2018): how long ids are is hard to predict. (Not std::from_chars: it checks each digit for overflow.)
inline LeadingDigits leading_digits(const char* p, const char* end, const char* readable) {
  LeadingDigits found;
  if (std::endian::native == std::endian::little && readable - p >= 8) [[likely]] {
    std::uint64_t digits = 0;
    std::memcpy(&digits, p, sizeof(digits));
    digits ^= 0x3030303030303030;
    // The high bit of each byte that is no digit; right up to the first such byte, which is all that is used.
    const auto others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080;
    if (others != 0 && (others & 0x80) == 0) [[likely]] {
      const auto count = std::countr_zero(others) / 8;
      digits <<= 64 - 8 * count;
      digits = 10 * digits + (digits >> 8);
      constexpr std::uint64_t pairs = 0x000000FF000000FF;
      const auto value = ((digits & pairs) * 0x000F424000000064 + ((digits >> 16) & pairs) * 0x0000271000000001) >> 32;
      return {value, count};
    }
    // Eight or more, as times have: *end is none, so they are all before it.
    if (others == 0) {
      digits = 10 * digits + (digits >> 8);
      constexpr std::uint64_t pairs = 0x000000FF000000FF;
      found.value = ((digits & pairs) * 0x000F424000000064 + ((digits >> 16) & pairs) * 0x0000271000000001) >> 32;
      found.count = 8;
    }
  }
  for (auto* at = p + found.count; at < end && static_cast<unsigned char>(*at - '0') < 10; ++at, ++found.count) {
    found.value = 10 * found.value + static_cast<unsigned char>(*at - '0');
  }
  return found;
}

}  // namespace cohort
