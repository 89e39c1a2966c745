// The first lines of an input file, cut into fields: what a layout is told from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/records/file_layout.hpp"

namespace cohort {

struct HeadLine {
  std::string_view text;  ///< without its line end
  std::size_t next;       ///< offset in the head of the line after it
  std::int64_t number;    ///< from 1
};

struct FileHead {
  std::vector<HeadLine> lines;  ///< at least one, at most 200: those that are not blank; views of the head
  std::size_t begin = 0;        ///< of the first line: after the byte order mark
};

/// Throws InputError: there is no line, or the file is none of text (a NUL byte). Local.
FileHead read_head_lines(std::string_view head, const std::string& name);

/// The first records of a csv file, which may span several lines: what read_head_lines gives, for this format. Local.
std::vector<HeadLine> csv_records(std::string_view head, std::size_t begin);

/// The fields of a line. Local.
std::vector<std::string> split_line(std::string_view line, TextFormat format);

/// Whether every field, by tabs, ends in a type of RecBole's: ":token", ":float", ":token_seq", ":float_seq". Local.
bool is_typed_header(std::string_view line);

/// "user_id:token" is named user_id; nothing else that follows a colon is a type. Local.
std::string_view without_type(std::string_view field);

/// `line 3: "..."`, for messages. Local.
std::string shown(const HeadLine& line);

}  // namespace cohort
