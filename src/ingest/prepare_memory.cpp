#include "ingest/prepare_memory.hpp"

namespace cohort {

std::int64_t pair_table_bytes(std::int64_t records, bool timed) {
  return (timed ? 48 : 40) * records;
}

std::int64_t feature_reading_bytes(std::int64_t entries) {
  return pair_table_bytes(entries, false);
}

std::int64_t attribute_reading_bytes(std::int64_t text_bytes, std::int64_t rows) {
  // Cells as they were read, as they are sent and as they came; of a line its id, place, number and row.
  return 3 * text_bytes + 72 * rows;
}

std::int64_t prepare_bytes(const RecordSizes& sizes) {
  // Blocks of lines and what is parsed of them.
  constexpr std::int64_t reading = std::int64_t{8} << 20;
  // Of an id: its number here and in the dictionary, its key in the order that it is sorted in; all texts as they were
  // read, as they were sent and as they came.
  constexpr std::int64_t of_id = 48;
  return reading + pair_table_bytes(sizes.records, sizes.timed) + of_id * sizes.ids + 3 * sizes.id_bytes;
}

}  // namespace cohort
