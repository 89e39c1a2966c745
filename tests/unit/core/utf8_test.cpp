// UTF-8 against the rules of RFC 3629 written out, over every sequence that can begin a character.
#include "core/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "core/error.hpp"

namespace cohort {
namespace {

std::string encoded(std::uint32_t code) {
  std::string text;
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 63));
    text += static_cast<char>(0x80 | (code & 63));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 63));
    text += static_cast<char>(0x80 | (code >> 6 & 63));
    text += static_cast<char>(0x80 | (code & 63));
  }
  return text;
}

TEST(Utf8, EveryCharacterIsValidAndNothingElse) {
  for (std::uint32_t code = 0; code < 0x120000; ++code) {
    const bool valid = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    ASSERT_EQ(find_invalid_utf8(std::string("a").append(encoded(code)).append("z")), valid ? std::string::npos : 1U)
        << std::hex << code;
  }
  for (const std::string wrong :
       {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF8\x88\x80\x80\x80", "\xFE",
        "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xE9t\xE9", "\xC3\xC3\xA9"}) {
    EXPECT_EQ(find_invalid_utf8(std::string("ab").append(wrong)), 2U) << ::testing::PrintToString(wrong);
    EXPECT_EQ(find_invalid_utf8(std::string("ab").append(wrong).append("cd")), 2U) << ::testing::PrintToString(wrong);
  }
}

TEST(Utf8, TheFirstInvalidByteIsFoundWhereverItStands) {
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const auto characters = random() % 120;
    for (std::size_t i = 0; i < characters; ++i) {
      text += encoded(random() % 3 ? random() % 128 : random() % 2 ? 0xA0 + random() % 2000 : 0x1F300 + random() % 500);
    }
    ASSERT_EQ(find_invalid_utf8(text), std::string::npos);
    const auto at = text.size();
    text += static_cast<char>(0xE9);
    for (auto more = random() % 80; more > 0; --more) text += 'x';
    ASSERT_EQ(find_invalid_utf8(text), at);
  }
}

TEST(Utf8, MessagesArePrintable) {
  EXPECT_EQ(printable("caf\xE9 \x1B[31m\x7F\xC2\x9B\ta\nb\r"), "caf\\xE9 \\x1B[31m\\x7F\\xC2\\x9B\ta\nb\\x0D");
  EXPECT_EQ(printable("café 日本 😀"), "café 日本 😀");
  EXPECT_EQ(printable(printable("\xFF")), "\\xFF");
  EXPECT_EQ(quoted("a\tb\nc"), "\"a\\tb\\nc\"");
  EXPECT_EQ(quoted("日本語", 4), "\"日...\"") << "no character is cut";
  EXPECT_EQ(quoted("abc", 3), "\"abc\"");
  const std::string line = "日本,caf\xE9,5";
  EXPECT_EQ(not_utf8(line, find_invalid_utf8(line)), "the byte 0xE9 in column 7 is not UTF-8");
  const auto message = [](auto call) -> std::string {
    try {
      call();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(
      message([] { require_utf8_file("a = \"é\"\nb = 'caf\xE9'\n", "c.toml"); }),
      "c.toml:2: the byte 0xE9 in column 9 is not UTF-8; convert the file (from Latin-1: iconv -f latin1 -t utf-8 "
      "OLD > NEW)");
  EXPECT_EQ(message([] { require_utf8_argument("\xE9", "--user"); }),
            "--user: the byte 0xE9 in column 1 is not UTF-8, as all text must be; set the terminal to UTF-8");
  EXPECT_EQ(message([] { require_utf8_argument("é", "--user"); }), "");
}

}  // namespace
}  // namespace cohort
