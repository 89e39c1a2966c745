#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080;

bool is_between(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

// Bytes of the character at the start of [p, end), which is not ASCII; 0: it is not valid.
std::size_t character_bytes(const unsigned char* p, const unsigned char* end) {
  const auto left = end - p;
  const auto continues = [&](std::ptrdiff_t i) { return (p[i] & 0xC0) == 0x80; };
  if (is_between(p[0], 0xC2, 0xDF)) return left >= 2 && continues(1) ? 2 : 0;
  if (is_between(p[0], 0xE0, 0xEF)) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    const bool overlong = p[0] == 0xE0 && p[1] < 0xA0;
    const bool surrogate = p[0] == 0xED && p[1] > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (is_between(p[0], 0xF0, 0xF4)) {
    if (left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = p[0] == 0xF0 && p[1] < 0x90;
    const bool beyond = p[0] == 0xF4 && p[1] > 0x8F;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

void append_escaped(std::string& out, unsigned char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  out.append("\\x");
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = begin + text.size();
  const auto* p = begin;
  while (p < end) {
    // Four words at a time: most text is ASCII.
    while (end - p >= 32) {
      std::array<std::uint64_t, 4> words{};
      std::memcpy(words.data(), p, sizeof(words));
      if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0) break;
      p += 32;
    }
    const auto* const stop = std::min(p + 32, end);
    while (p < stop) {
      if (*p < 0x80) {
        ++p;
        continue;
      }
      const auto bytes = character_bytes(p, end);
      if (bytes == 0) return static_cast<std::size_t>(p - begin);
      p += bytes;
    }
  }
  return std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string result;
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = begin + text.size();
  for (const auto* p = begin; p < end;) {
    if (*p < 0x80) {
      const bool control = *p < 0x20 || *p == 0x7F;
      if (!control || *p == '\t' || *p == '\n') {
        result += static_cast<char>(*p);
      } else {
        append_escaped(result, *p);
      }
      ++p;
      continue;
    }
    const auto bytes = character_bytes(p, end);
    const bool control = bytes == 2 && p[0] == 0xC2 && p[1] < 0xA0;  // C1
    if (bytes > 0 && !control) {
      result.append(reinterpret_cast<const char*>(p), bytes);
      p += bytes;
    } else {
      append_escaped(result, *p++);
    }
  }
  return result;
}

std::string one_line(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '\t') {
      result += "\\t";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

std::string quoted(std::string_view text, std::size_t most) {
  auto cut = std::min(text.size(), most);
  // Not inside a character: back over its continuation bytes.
  for (int back = 0; back < 3 && cut < text.size() && cut > 0 && (text[cut] & 0xC0) == 0x80; ++back) --cut;
  return '"' + one_line(text.substr(0, cut)).append(cut < text.size() ? "...\"" : "\"");
}

std::string not_utf8(std::string_view line, std::size_t offset) {
  const auto before = line.substr(0, offset);
  const auto characters = std::ranges::count_if(before, [](char c) { return (c & 0xC0) != 0x80; });
  std::string byte;
  append_escaped(byte, static_cast<unsigned char>(line[offset]));
  return "the byte 0" + byte.substr(1) + " in column " + std::to_string(characters + 1) + " is not UTF-8";
}

void require_utf8_file(std::string_view text, const std::string& where) {
  const auto at = find_invalid_utf8(text);
  if (at == std::string_view::npos) return;
  const auto before = text.substr(0, at);
  const auto line_begin = before.rfind('\n') + 1;
  throw InputError(where + ":" + std::to_string(1 + std::ranges::count(before, '\n')) + ": " +
                   not_utf8(text.substr(line_begin), at - line_begin) + std::string(convert_to_utf8));
}

void require_utf8_argument(std::string_view text, const std::string& what) {
  const auto at = find_invalid_utf8(text);
  if (at == std::string_view::npos) return;
  throw InputError(what + ": " + not_utf8(text, at) + ", as all text must be; set the terminal to UTF-8");
}

}  // namespace cohort
