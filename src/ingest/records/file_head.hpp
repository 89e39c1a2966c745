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
  std::vector<HeadLine> lines;    ///< at least one, at most 200: those that are not blank; views of the head
  std::size_t begin = 0;          ///< of the first line: after the byte order mark and comments
  std::int64_t lines_before = 0;  ///< comments, and titles
  char comment = '\0';            ///< what they begin with; '\0': there are none
  bool half_matrix = false;       ///< a symmetric one, of which the file has one half
  std::string titles;   ///< the first of lines above the names, which have fewer columns; empty: there are none
  bool ruled = false;   ///< a table with rules of '-' between its lines, which are not among `lines`
  bool matrix = false;  ///< a coordinate matrix of Matrix Market; its line of sizes is before `begin` too
};

/// Lines at the start that begin with '#' or '%' are comments where they have not the columns of those below; the last
/// of them may be a header, and is given without its mark where its names are known. Throws InputError: there is no
/// line, the file is none of text (a NUL byte), or a matrix that is no list of its entries. Local.
FileHead read_head_lines(std::string_view head, const std::string& name);

/// The first records of a csv file, which may span several lines: what read_head_lines gives, for this format. Local.
std::vector<HeadLine> csv_records(std::string_view head, std::size_t begin, char separator = ',',
                                  std::int64_t first_number = 1);

/// The fields of a line. Local.
std::vector<std::string> split_line(std::string_view line, TextFormat format, char separator = ',');

/// By runs of blanks. Local.
std::vector<std::string> split_spaces(std::string_view line);

/// Whether every field, by tabs, ends in a type of RecBole's: ":token", ":float", ":token_seq", ":float_seq". Local.
bool is_typed_header(std::string_view line);

/// Whether a line is a rule of a table that psql, MySQL or Markdown print, as ----+---- is, or says how many rows there
/// are. Local.
bool is_rule(std::string_view line);

/// "user_id:token" is named user_id; nothing else that follows a colon is a type. Local.
std::string_view without_type(std::string_view field);

/// `line 3: "..."`, for messages. Local.
std::string shown(const HeadLine& line);

}  // namespace cohort
