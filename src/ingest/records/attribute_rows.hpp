// The lines of a table of attributes at the ranks that own their ids, still as text. For read_attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "core/ragged.hpp"
#include "data/dataset.hpp"
#include "ingest/records/attribute_file.hpp"

namespace cohort {

/// Row r says something about this rank's id row[r]; columns are those of the file but for the first.
struct AttributeRows {
  std::vector<std::string> names;      ///< of the columns; the same on all ranks
  std::vector<std::string> types;      ///< RecBole's; empty: the header has none
  std::vector<std::int64_t> row;       ///< ascending, no repeats
  std::string text;                    ///< cells row by row, without blanks around them but for quoted ones
  std::vector<std::int64_t> begin{0};  ///< offsets into text: rows * columns + 1
  std::int64_t matched = 0;            ///< lines whose id `ids` holds, over all ranks
  std::int64_t unknown = 0;            ///< and the others

  std::string_view cell(std::size_t row_index, std::size_t column) const {
    return list_of(text, begin, row_index * names.size() + column);
  }
};

/// The value of a text that is a finite number (number_text.hpp), blanks around it or not, and no code: "007" is a
/// code. Local.
std::optional<double> number_of(std::string_view text);

/// Every rank reads its part of the file and sends each line to the owner of its id. Cells of a column of type float
/// are numbers or empty. Throws InputError as read_attributes does. Collective.
AttributeRows read_attribute_rows(const Communicator& comm, const IdTable& ids, const std::string& path,
                                  const std::string& encoding);

/// The ids of the file's lines alone, in any order, each line's on one rank. known: ids of the same kind. Throws
/// InputError as above, but for ids without overlap or with two lines. Collective.
IdTable read_attribute_ids(const Communicator& comm, const IdTable& known, const std::string& path,
                           const std::string& encoding);

}  // namespace cohort
