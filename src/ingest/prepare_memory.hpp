// What reading and numbering the input keep in memory. For predictions; local.
#pragma once

#include <cstdint>

namespace cohort {

/// Of a rank's part.
struct RecordSizes {
  std::int64_t records = 0;
  bool timed = false;
  std::int64_t ids = 0;       ///< different ones, of users and items
  std::int64_t id_bytes = 0;  ///< of their IdTables
};

/// What making the table of pairs takes at its peak, its records included (data/pair_table.hpp): all columns, where
/// each record goes, and one column as it is, as it is sent and as it came.
std::int64_t pair_table_bytes(std::int64_t records, bool timed);

/// Reading a file of features, whose table has so many entries on this rank, beside what prepare() keeps then. As text
/// they take about as much.
std::int64_t feature_reading_bytes(std::int64_t entries);

/// Reading a table of attributes of this rank's `rows` from so many bytes of text, its table included.
std::int64_t attribute_reading_bytes(std::int64_t text_bytes, std::int64_t rows);

/// prepare() at its peak, without features, if cleaning drops nothing and lines repeat nothing: what is dropped or
/// repeated takes as much as what stays.
std::int64_t prepare_bytes(const RecordSizes& sizes);

}  // namespace cohort
