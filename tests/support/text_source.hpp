// A text as a source of bytes, in short reads, as files on networks give them.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "ingest/files/byte_source.hpp"

namespace cohort::testing_support {

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::size_t read(char* data, std::size_t size) override {
    const auto now = std::min({size, text_.size() - at_, std::size_t{7}});
    std::memcpy(data, text_.data() + at_, now);
    at_ += now;
    return now;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace cohort::testing_support
