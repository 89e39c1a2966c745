// Lines of JSON, an object each, as records of csv: the values of chosen keys, in their order.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

class JsonLines {
 public:
  /// keys: of the columns; "user.id" is the key id in the object that is the value of user, or a key that is called so.
  /// Keys that are empty stand for columns that nobody reads.
  explicit JsonLines(std::vector<std::string> keys);
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  /// Makes a line into a record. A value that is missing or null is an empty field; an array is its values with '|'
  /// between them. Objects as Python prints them are taken too. Returns what is wrong with the line; empty: nothing.
  std::string read(std::string_view line);

  /// The record that was made last. It stays where it is until so many more have been made.
  static constexpr std::size_t kept = 256;
  char* begin() { return record_->data(); }
  char* end() { return record_->data() + record_->size(); }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::vector<std::string> keys_;
  std::vector<std::string> records_;  // used in turn
  std::size_t next_ = 0;
  std::string* record_;
  std::string json_;  // of a line that was Python
};

/// Whether a text is lines of JSON objects: what its first line shows. Local.
bool is_json_lines(std::string_view head);

/// All keys of the objects in `lines`, with dots where objects are nested, in the order in which they come first; lines
/// that are no objects are passed over. Local.
std::vector<std::string> json_keys(const std::vector<std::string_view>& lines);

/// A field of csv, with quotes around it; a NUL byte, which no text may hold, becomes a blank. Local.
void append_csv_field(std::string& record, std::string_view text);

}  // namespace cohort
