// Text in another encoding than UTF-8, read as UTF-8.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/files/byte_source.hpp"

namespace cohort {

class DecodedText final : public ByteSource {
 public:
  /// encoding: as iconv names it. Latin-1 is read as Windows-1252, of which it is a part and which is
  /// meant (https://encoding.spec.whatwg.org/#names-and-labels); its five bytes without a character are the controls of
  /// Latin-1. Throws InputError: there is no such encoding.
  DecodedText(std::unique_ptr<ByteSource> source, const std::string& encoding, std::string path);
  ~DecodedText() override;
  DecodedText(const DecodedText&) = delete;
  DecodedText& operator=(const DecodedText&) = delete;

  /// Throws InputError also where bytes are none of the encoding, with their place.
  std::size_t read(char* data, std::size_t size) override;

 private:
  void decode();

  std::unique_ptr<ByteSource> source_;
  std::string encoding_;
  std::string path_;
  bool controls_ = false;  // bytes that begin no character are those of Latin-1
  void* converter_;
  std::vector<char> input_;
  std::size_t filled_ = 0;
  std::vector<char> text_;
  std::size_t text_begin_ = 0, text_end_ = 0;
  std::int64_t converted_ = 0;  // bytes of the source
  bool source_ended_ = false;
  bool ended_ = false;
};

}  // namespace cohort
