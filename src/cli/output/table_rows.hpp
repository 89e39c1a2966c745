// Tables that `cohort export` writes, in the format that is asked for. Rows are made by all ranks and written by rank
// 0.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"

namespace cohort {

/// csv: RFC 4180, with a header. jsonl: an object a line.
enum class TableFormat { csv, jsonl, parquet };

/// What `format` says ("csv", "jsonl", "parquet"), or where it is empty the file's ending: .parquet, .pq, .jsonl,
/// .ndjson, .json, else csv. Local.
TableFormat table_format(const std::string& format, const std::string& path);

enum class CellKind { text, integer, real, real32, reals32 };

struct TableColumn {
  std::string name;
  CellKind kind = CellKind::integer;
  std::int64_t width = 1;  ///< numbers of reals32, which csv has a column for each of: e0, e1, ...
};

/// One row: cells in the order of the columns. Numbers have as few digits as read back to the same bits; JSON has none
/// that are not finite, so those are null there. Local.
class TableRow {
 public:
  TableRow(TableFormat format, const std::vector<TableColumn>& columns, std::string& out);

  void text(std::string_view value);
  void integer(std::int64_t value);
  void real(double value);
  void real32(float value);
  /// As many as the column is wide.
  void reals(std::span<const float> values);
  /// Nothing stands there: an empty field, null.
  void none();
  void end();

 private:
  void start();
  template <class Number>
  void number(Number value);
  template <class Number>
  void digits(Number value);

  TableFormat format_;
  const std::vector<TableColumn>& columns_;
  std::string& out_;
  std::size_t next_ = 0;
};

/// Where rank 0 puts the rows.
class TableSink;

class TableOutput {
 public:
  /// path: as core/output_file.hpp has it. Throws InputError also where this build writes no Parquet. Collective.
  TableOutput(const Communicator& comm, const std::string& path, TableFormat format, std::vector<TableColumn> columns);
  ~TableOutput();
  TableOutput(const TableOutput&) = delete;
  TableOutput& operator=(const TableOutput&) = delete;

  /// Rows 0 .. count - 1 of every rank, those of rank 0 first: fill(row, i) sets the cells. Throws RunError where
  /// writing fails. Collective.
  void write(std::int64_t count, const std::function<void(TableRow&, std::int64_t)>& fill);
  /// Ends the file. Collective.
  void commit();

 private:
  Communicator comm_;
  TableFormat format_;
  std::vector<TableColumn> columns_;
  std::unique_ptr<TableSink> sink_;  // rank 0's
};

}  // namespace cohort
