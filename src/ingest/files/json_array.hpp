// A JSON array of objects, read as JSON lines: an object a line, whatever line breaks there are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/files/byte_source.hpp"

namespace cohort {

/// Whether a text begins as an array of objects. Local.
bool is_json_array(std::string_view head);

class JsonArrayText final : public ByteSource {
 public:
  JsonArrayText(std::unique_ptr<ByteSource> source, std::string path);
  /// Throws InputError also where the array ends early, holds what is no object, or is followed by something.
  std::size_t read(char* data, std::size_t size) override;

 private:
  enum class Place { before, first, object, after, next, ended };

  void take(char c);
  [[noreturn]] void fail(const std::string& what) const;

  std::unique_ptr<ByteSource> source_;
  std::string path_;
  Place place_ = Place::before;
  bool in_string_ = false;
  bool escaped_ = false;
  std::int64_t depth_ = 0;
  std::int64_t taken_ = 0;  // bytes of the source
  std::string lines_;       // made and not handed out
  std::size_t handed_out_ = 0;
};

}  // namespace cohort
