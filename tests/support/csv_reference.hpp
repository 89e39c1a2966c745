// The rule of csv records (src/ingest/quoted_record.hpp) on a whole text in memory, one character after the other: the
// oracle of the readers that see only blocks or byte ranges.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace cohort::testing_support {

struct ReferenceRecord {
  std::size_t begin = 0;
  std::int64_t lines = 0;
  bool malformed = false;
  std::vector<std::string> fields;
  bool operator==(const ReferenceRecord&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const ReferenceRecord& record) {
    out << "at " << record.begin << " lines " << record.lines << (record.malformed ? " malformed" : "");
    for (const auto& field : record.fields) out << " [" << field << "]";
    return out << "\n";
  }
};

inline std::vector<ReferenceRecord> reference_records(std::string text, std::size_t limit) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  const auto blank = [&](std::size_t i) { return text[i] == ' ' || text[i] == '\t'; };
  std::vector<ReferenceRecord> records;
  for (std::size_t at = 0; at < text.size();) {
    ReferenceRecord record{at, 0, false, {}};
    std::size_t i = at;
    for (bool more = true; more;) {
      while (blank(i)) ++i;
      std::string field;
      if (text[i] == '"') {
        const auto open = i++;
        while (i < text.size() && (text[i] != '"' || (i + 1 < text.size() && text[i + 1] == '"'))) {
          if (text[i] == '"') ++i;
          field += text[i++];
        }
        const bool closed = i < text.size() && i - open - 1 <= limit;
        const auto quote = i++;
        while (closed && i < quote + limit && blank(i)) ++i;
        if (closed && text[i] != ',') {
          while (i < quote + limit && text[i] == '\r') ++i;
          if (text[i] == ',') i = quote;
        }
        if (!closed || (text[i] != ',' && text[i] != '\n')) {
          record.malformed = true;
          i = text.find('\n', open);
        }
      } else {
        while (text[i] != ',' && text[i] != '\n') field += text[i++];
        if (text[i] == '\n') {
          while (field.ends_with('\r')) field.pop_back();
        }
        while (field.ends_with(' ') || field.ends_with('\t')) field.pop_back();
        if (field.find('\r') != std::string::npos) record.malformed = true;
      }
      record.fields.push_back(field);
      more = text[i] == ',';
      ++i;
    }
    record.lines =
        std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(i), '\n');
    auto end = i - 1;
    while (end > at && text[end - 1] == '\r') --end;
    if (end - at > limit) record.malformed = true;
    if (record.malformed) record.fields.clear();
    const bool is_blank_line =
        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end),
                    [](char c) { return c == ' ' || c == '\t'; });
    if (!is_blank_line) records.push_back(record);
    at = i;
  }
  return records;
}

}  // namespace cohort::testing_support
