// A Parquet file as a table of columns, by Arrow C++: what parquet_*.cpp share, and the only header that includes
// Arrow.
#pragma once

#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace cohort {

constexpr std::int64_t seconds_of_day = 86'400;

/// Of a time in such units. Local.
constexpr std::int64_t parts_of_second(arrow::TimeUnit::type unit) {
  return unit == arrow::TimeUnit::SECOND  ? 1
         : unit == arrow::TimeUnit::MILLI ? 1'000
         : unit == arrow::TimeUnit::MICRO ? 1'000'000
                                          : 1'000'000'000;
}

/// Rounded down; divisor > 0. Local.
constexpr std::int64_t floor_divided(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

class ParquetTable {
 public:
  /// A value of the schema that is no struct, and the stored columns that hold it.
  struct Column {
    std::string name;  ///< with dots where structs are nested
    std::shared_ptr<arrow::DataType> type;
    std::vector<int> stored;
  };
  using Values = std::vector<std::shared_ptr<arrow::Array>>;

  explicit ParquetTable(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<Column>& columns() const { return columns_; }
  int groups() const { return reader_->num_row_groups(); }
  std::int64_t rows(int group) const { return reader_->parquet_reader()->metadata()->RowGroup(group)->num_rows(); }
  /// The place of the column that pandas keeps the table's index in, where it is one column.
  std::optional<std::size_t> index() const;

  /// Calls take(values, rows) for the rows of a group, some at a time, until it returns false. wanted: by column;
  /// values: by column, null where it is not wanted, those of structs with the nulls of the struct; of most_rows rows
  /// at most.
  void read(int group, const std::vector<char>& wanted,
            const std::function<bool(const Values& values, std::int64_t rows)>& take,
            std::int64_t most_rows = std::numeric_limits<std::int64_t>::max());

  void check(const arrow::Status& status) const {
    if (status.ok()) return;
    throw InputError(path_ + ": the Parquet file cannot be read (" + status.message() + "); is it whole?");
  }
  template <class T>
  T take(arrow::Result<T> result) const {
    check(result.status());
    return std::move(result).ValueUnsafe();
  }

  /// Appends value i of an array as text: times as ISO 8601, lists with '|' between their values; nothing for null.
  void append_text(std::string& text, const arrow::Array& array, std::int64_t i) const;

 private:
  void add_columns(const parquet::arrow::SchemaField& field, const std::string& prefix);
  void flatten(const std::shared_ptr<arrow::Array>& array, Values& found) const;

  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<Column> columns_;
  std::set<int> coded_;  // stored columns that are read as numbers into dictionaries
};

/// Calls work(table) of the file; Arrow's exceptions are those of a damaged file. Throws InputError. Local.
template <class Work>
void with_parquet(const std::string& path, Work work) {
  try {
    ParquetTable table(path);
    work(table);
  } catch (const parquet::ParquetException& error) {
    throw InputError(path + ": the Parquet file cannot be read (" + error.what() + "); is it whole?");
  }
}

}  // namespace cohort
