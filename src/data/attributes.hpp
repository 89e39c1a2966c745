// What tables say about users or items beside the interactions: for profiles and reports; never for the graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace cohort {

/// Numbers, one a row of this rank's block; NaN where the table says nothing.
struct NumericAttribute {
  std::string name;
  std::vector<double> value;
};

/// Categories, any number a row.
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
  std::vector<std::string> left_out;  ///< names of the columns that are none of these, in the file's order
  InputFile file;
};

}  // namespace cohort
