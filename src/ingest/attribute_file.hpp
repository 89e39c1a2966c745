// Attributes of users or items: tables with a header line, one row an id, as RecBole's .user and .item files (typed
// header) or plain tsv and csv, gzip or not. For profiles and reports; never for the graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/dataset.hpp"

namespace cohort {

/// Numbers, one a row of this rank's block; NaN where the table says nothing.
struct NumericAttribute {
  std::string name;
  std::vector<double> value;
};

/// Categories, any number a row: "token" columns have one, "token_seq" columns several, separated by spaces.
struct CategoryAttribute {
  std::string name;
  std::vector<std::string> categories;     ///< ordered by length and bytes; the same on all ranks
  std::vector<std::int64_t> row_begin{0};  ///< rows of this rank's block + 1
  std::vector<std::int32_t> category;      ///< within a row ascending, no repeats
};

struct AttributeTable {
  std::vector<NumericAttribute> numeric;
  std::vector<CategoryAttribute> category;
  std::string label_name;             ///< the column that names a row in words (a title); empty: there is none
  std::vector<std::string> label;     ///< of this rank's block; empty strings where the table says nothing
  std::int64_t matched = 0;           ///< rows of the file whose id `ids` holds, over all ranks
  std::int64_t unknown = 0;           ///< and the others, which are passed over
  std::vector<std::string> left_out;  ///< columns that are neither (nearly all values different, and no label), by name
  InputFile file;
};

/// Which column is what: RecBole's types where the header has them, else numbers where every value is one. A column
/// whose values nearly all differ is no category: the first such text column named like a name or title is the label,
/// others are left out. The first column holds the ids. Throws InputError: the file cannot be read or understood
/// (file:line), an id twice, no id in common with `ids` (says how ids look in both). Collective.
AttributeTable read_attributes(const Communicator& comm, const IdTable& ids, const std::string& path);

}  // namespace cohort
