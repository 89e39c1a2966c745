// What rank 0 does with the rows of a table: text goes into a file as it is, Parquet is made of cells.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/table_rows.hpp"
#include "core/output_file.hpp"

namespace cohort {

class TableSink {
 public:
  virtual ~TableSink() = default;
  /// Whole rows. Throws RunError.
  virtual void put(std::string_view rows) = 0;
  /// Ends the file. Throws RunError.
  virtual void commit() = 0;
};

/// Of rows as TableRow writes them for Parquet: every cell is a byte, 1 where there is something, and then a number, or
/// a text behind its length, or numbers. Throws InputError, also where this build writes no Parquet. Local.
std::unique_ptr<TableSink> make_parquet_sink(const std::string& path, const std::vector<TableColumn>& columns);

/// Reads such rows.
class PackedCells {
 public:
  explicit PackedCells(std::string_view rows) : left_(rows) {}
  bool at_end() const { return left_.empty(); }
  bool is_there() { return take<char>() != 0; }
  template <class Value>
  Value take() {
    Value value;
    std::memcpy(&value, left_.data(), sizeof(value));
    left_.remove_prefix(sizeof(value));
    return value;
  }
  std::string_view text() {
    const auto size = static_cast<std::size_t>(take<std::int64_t>());
    const auto value = left_.substr(0, size);
    left_.remove_prefix(size);
    return value;
  }

 private:
  std::string_view left_;
};

}  // namespace cohort
