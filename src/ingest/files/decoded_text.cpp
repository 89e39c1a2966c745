#include "ingest/files/decoded_text.hpp"

#include <iconv.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::size_t chunk = std::size_t{1} << 16;
constexpr std::string_view windows_1252 = "WINDOWS-1252";

bool is_latin_1(const std::string& encoding) {
  std::string plain;
  for (const char c : encoding) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) plain += static_cast<char>(std::tolower(c));
  }
  return plain == "latin1" || plain == "iso88591" || plain == "l1" || plain == "cp819" || plain == "ibm819";
}

}  // namespace

DecodedText::DecodedText(std::unique_ptr<ByteSource> source, const std::string& encoding, std::string path)
    : source_(std::move(source)),
      encoding_(encoding),
      path_(std::move(path)),
      controls_(is_latin_1(encoding)),
      converter_(iconv_open("UTF-8", controls_ ? windows_1252.data() : encoding.c_str())),
      input_(chunk),
      text_(4 * chunk) {
  if (converter_ == reinterpret_cast<void*>(-1)) {
    throw InputError("input.encoding = \"" + encoding + "\" is no encoding that iconv knows; iconv -l lists them");
  }
}

DecodedText::~DecodedText() {
  if (converter_ != reinterpret_cast<void*>(-1)) iconv_close(converter_);
}

void DecodedText::decode() {
  if (!source_ended_) {
    const auto got = source_->read(input_.data() + filled_, input_.size() - filled_);
    filled_ += got;
    source_ended_ = got == 0;
  }
  auto* in = input_.data();
  auto in_left = filled_;
  auto* out = text_.data();
  auto out_left = text_.size();
  const auto fail = [&](const std::string& what) {
    throw InputError(path_ + ": byte " + std::to_string(converted_) + " " + what + " in " + encoding_ +
                     "; set input.encoding to what the file is written in");
  };
  auto status = iconv(converter_, &in, &in_left, &out, &out_left);
  auto error = errno;
  while (controls_ && status == static_cast<std::size_t>(-1) && error == EILSEQ && out_left >= 2) {
    *out++ = '\xC2';
    *out++ = *in++;
    --in_left;
    out_left -= 2;
    status = iconv(converter_, &in, &in_left, &out, &out_left);
    error = errno;
  }
  converted_ += static_cast<std::int64_t>(filled_ - in_left);
  if (status == static_cast<std::size_t>(-1) && error == EILSEQ) fail("begins no character");
  if (source_ended_ && status == static_cast<std::size_t>(-1) && error == EINVAL)
    fail("begins a character that ends early");
  std::memmove(input_.data(), in, in_left);
  filled_ = in_left;
  text_begin_ = 0;
  text_end_ = static_cast<std::size_t>(out - text_.data());
  ended_ = source_ended_ && filled_ == 0;
}

std::size_t DecodedText::read(char* data, std::size_t size) {
  while (text_begin_ == text_end_) {
    if (ended_) return 0;
    decode();
  }
  const auto taken = std::min(size, text_end_ - text_begin_);
  std::memcpy(data, text_.data() + text_begin_, taken);
  text_begin_ += taken;
  return taken;
}

}  // namespace cohort
