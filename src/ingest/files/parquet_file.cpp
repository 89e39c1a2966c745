#include "ingest/files/parquet_file.hpp"

#include <limits>
#include <utility>

#include "core/interruption.hpp"
#include "ingest/files/parquet_table.hpp"
#include "ingest/records/json_lines.hpp"

namespace cohort {

namespace {

constexpr std::int64_t rows_looked_at = 200;
constexpr std::size_t block_bytes = std::size_t{1} << 20;

// Calls take_line(text) for every row of a group until it returns false.
template <class TakeLine>
void read_lines(ParquetTable& table, int group, TakeLine take_line,
                std::int64_t most_rows = std::numeric_limits<std::int64_t>::max()) {
  std::string line;
  std::string text;
  table.read(
      group, std::vector<char>(table.columns().size(), 1),
      [&](const ParquetTable::Values& values, std::int64_t rows) {
        for (std::int64_t row = 0; row < rows; ++row) {
          line.clear();
          for (std::size_t c = 0; c < values.size(); ++c) {
            if (c > 0) line += ',';
            text.clear();
            table.append_text(text, *values[c], row);
            append_csv_field(line, text);
          }
          line += '\n';
          if (!take_line(line)) return false;
        }
        return true;
      },
      most_rows);
}

}  // namespace

ParquetHead parquet_head(const std::string& path) {
  ParquetHead head;
  auto& text = head.text;
  with_parquet(path, [&](ParquetTable& table) {
    if (const auto index = table.index()) head.index = table.columns()[*index].name;
    for (const auto& column : table.columns()) {
      if (&column != table.columns().data()) text += ',';
      append_csv_field(text, column.name);
    }
    text += '\n';
    std::int64_t rows = 0;
    for (int group = 0; group < table.groups() && rows < rows_looked_at; ++group) {
      read_lines(
          table, group,
          [&](const std::string& line) {
            text += line;
            return ++rows < rows_looked_at;
          },
          rows_looked_at);
    }
  });
  return head;
}

void read_parquet(const OpenedFile& file, int rank, int ranks, const std::function<void(const LineBlock&)>& parse) {
  with_parquet(file.path, [&](ParquetTable& table) {
    std::string text;
    std::int64_t row = 1;
    for (int group = 0; group < table.groups(); ++group) {
      auto first = row;
      row += table.rows(group);
      if (group % ranks != rank) continue;
      std::int64_t in_block = 0;
      const auto hand_out = [&] {
        end_if_interrupted();
        parse({.text = text.data(), .size = text.size(), .offset = first, .line = first});
        first += std::exchange(in_block, 0);
        text.clear();
      };
      read_lines(table, group, [&](const std::string& line) {
        text += line;
        ++in_block;
        if (text.size() >= block_bytes) hand_out();
        return true;
      });
      if (in_block > 0) hand_out();
    }
  });
}

}  // namespace cohort
