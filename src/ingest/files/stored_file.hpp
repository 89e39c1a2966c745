// How the text of an input file is stored: compressed, in another encoding, as Parquet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ingest/files/byte_source.hpp"
#include "ingest/files/packed_file.hpp"
#include "ingest/files/rewritten_text.hpp"

namespace cohort {

struct Storage {
  Packing packing = Packing::none;
  std::string encoding;  ///< as iconv names it; empty: UTF-8
  bool parquet = false;
  bool array = false;  ///< JSON, all objects in one array
  Dialect dialect;     ///< what the text is rewritten from
  std::string index;   ///< of Parquet, where its head was read: the column that pandas keeps the index in

  /// Whether a rank can read from any byte on.
  bool in_place() const {
    return packing == Packing::none && encoding.empty() && !parquet && !array && dialect.as_usual();
  }
};

/// Whether a file is one of Parquet, by its first and last bytes. Throws InputError: it cannot be read. Local.
bool is_parquet(const std::string& path);

/// What the file's first bytes and `encoding` (input.encoding) say. What every text file is asked before it is read:
/// throws InputError where its bytes, or those inside compressed data, are of a format that Cohort does not read (named
/// in the message), and where its name says that it is compressed and it is not. tables: whether JSON, a
/// coordinate matrix and Parquet may be meant. Local.
Storage storage_of(const std::string& path, const std::string& encoding, bool tables);

/// The text, in UTF-8; of a JSON array an object a line, of a dialect as CSV. Not for Parquet. Throws InputError.
/// Local.
std::unique_ptr<ByteSource> open_text(const std::string& path, const Storage& storage);

/// The number in the file of line `line` of open_text, which differs where letters stand for line ends (reads the file
/// again then). Throws InputError. Local.
std::int64_t line_in_file(const std::string& path, const Storage& storage, std::int64_t line);

/// How it is stored, in words that end in ", "; empty: plain. Local.
std::string in_words(const Storage& storage);

}  // namespace cohort
