#include "ingest/files/parquet_file.hpp"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "core/interruption.hpp"
#include "ingest/records/json_lines.hpp"

namespace cohort {

namespace {

constexpr std::int64_t rows_looked_at = 200;
constexpr std::size_t block_bytes = std::size_t{1} << 20;

// A column of the csv: a value of the schema that is no struct, and the stored columns that hold it.
struct Column {
  std::string name;
  std::vector<int> stored;
};

class Table {
 public:
  explicit Table(const std::string& path) : path_(path) {
    auto file = take(arrow::io::ReadableFile::Open(path));
    parquet::arrow::FileReaderBuilder builder;
    check(builder.Open(std::move(file)));
    parquet::ArrowReaderProperties properties(false);
    properties.set_batch_size(std::int64_t{1} << 16);
    // Texts that repeat stay numbers into their dictionary.
    const auto& schema = *builder.raw_reader()->metadata()->schema();
    for (int c = 0; c < schema.num_columns(); ++c) {
      const auto* const column = schema.Column(c);
      if (column->physical_type() == parquet::Type::BYTE_ARRAY && column->max_repetition_level() == 0) {
        properties.set_read_dictionary(c, true);
      }
    }
    reader_ = take(builder.properties(properties)->Build());
    for (const auto& field : reader_->manifest().schema_fields) add_columns(field, "");
  }

  const std::vector<Column>& columns() const { return columns_; }
  int groups() const { return reader_->num_row_groups(); }
  std::int64_t rows(int group) const { return reader_->parquet_reader()->metadata()->RowGroup(group)->num_rows(); }

  // Calls take_row(text) for every row of a group until it returns false; text: its line. wanted: by column.
  template <class TakeRow>
  void read(int group, const std::vector<char>& wanted, TakeRow take_row) {
    std::vector<int> stored;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (wanted[c]) stored.insert(stored.end(), columns_[c].stored.begin(), columns_[c].stored.end());
    }
    std::ranges::sort(stored);
    const auto batches = take(reader_->GetRecordBatchReader({group}, stored));
    std::string line;
    for (std::shared_ptr<arrow::RecordBatch> batch;;) {
      check(batches->ReadNext(&batch));
      if (!batch) return;
      const auto values = values_of(*batch, wanted);
      for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
        line.clear();
        for (std::size_t c = 0; c < columns_.size(); ++c) {
          if (c > 0) line += ',';
          if (values[c]) append(line, *values[c], row);
        }
        line += '\n';
        if (!take_row(line)) return;
      }
    }
  }

 private:
  void check(const arrow::Status& status) const {
    if (status.ok()) return;
    throw InputError(path_ + ": the Parquet file cannot be read (" + status.message() + "); is it whole?");
  }
  template <class T>
  T take(arrow::Result<T> result) const {
    check(result.status());
    return std::move(result).ValueUnsafe();
  }

  static void add_stored(const parquet::arrow::SchemaField& field, std::vector<int>& stored) {
    if (field.column_index >= 0) stored.push_back(field.column_index);
    for (const auto& child : field.children) add_stored(child, stored);
  }
  void add_columns(const parquet::arrow::SchemaField& field, const std::string& prefix) {
    const auto name = prefix + field.field->name();
    if (field.field->type()->id() == arrow::Type::STRUCT) {
      for (const auto& child : field.children) add_columns(child, name + ".");
      return;
    }
    columns_.push_back({name, {}});
    add_stored(field, columns_.back().stored);
  }

  // The arrays of a batch by column, those of structs with the nulls of the struct.
  std::vector<std::shared_ptr<arrow::Array>> values_of(const arrow::RecordBatch& batch,
                                                       const std::vector<char>& wanted) const {
    std::vector<std::shared_ptr<arrow::Array>> found;
    std::vector<std::string> names;
    for (int i = 0; i < batch.num_columns(); ++i) flatten(batch.column(i), batch.column_name(i), found, names);
    std::vector<std::shared_ptr<arrow::Array>> values(columns_.size());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const auto at = std::ranges::find(names, columns_[c].name);
      if (wanted[c] && at != names.end()) values[c] = found[at - names.begin()];
    }
    return values;
  }
  void flatten(const std::shared_ptr<arrow::Array>& array, const std::string& name,
               std::vector<std::shared_ptr<arrow::Array>>& found, std::vector<std::string>& names) const {
    if (array->type_id() != arrow::Type::STRUCT) {
      found.push_back(array);
      names.push_back(name);
      return;
    }
    const auto children = take(static_cast<const arrow::StructArray&>(*array).Flatten());
    for (int i = 0; i < array->type()->num_fields(); ++i) {
      flatten(children[i], name + "." + array->type()->field(i)->name(), found, names);
    }
  }

  // A date and time as ISO 8601, which needs no unit.
  static std::string time_text(std::int64_t value, arrow::TimeUnit::type unit) {
    static constexpr std::int64_t parts_of[] = {1, 1'000, 1'000'000, 1'000'000'000};
    const auto parts = parts_of[static_cast<int>(unit)];
    const auto second = value >= 0 ? value / parts : -((-value + parts - 1) / parts);
    const auto part = value - second * parts;
    const auto day = second >= 0 ? second / 86'400 : -((-second + 86'399) / 86'400);
    const auto left = second - day * 86'400;
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), left / 3600,
                            left / 60 % 60, left % 60);
    if (part != 0)
      text += fmt::format(".{:0{}}", part, unit == arrow::TimeUnit::MILLI ? 3 : unit == arrow::TimeUnit::MICRO ? 6 : 9);
    return text + "Z";
  }

  // A number as text that is one with a point where it was one.
  template <class Real>
  static std::string real_text(Real value) {
    auto text = fmt::format("{}", value);
    if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
    return text;
  }

  void append_value(std::string& text, const arrow::Array& array, std::int64_t i) const {
    if (array.IsNull(i)) return;
    switch (array.type_id()) {
      case arrow::Type::INT64:
        text += std::to_string(static_cast<const arrow::Int64Array&>(array).Value(i));
        break;
      case arrow::Type::INT32:
        text += std::to_string(static_cast<const arrow::Int32Array&>(array).Value(i));
        break;
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        text += static_cast<const arrow::BinaryArray&>(array).GetView(i);
        break;
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY:
        text += static_cast<const arrow::LargeBinaryArray&>(array).GetView(i);
        break;
      case arrow::Type::DOUBLE:
        text += real_text(static_cast<const arrow::DoubleArray&>(array).Value(i));
        break;
      case arrow::Type::FLOAT:
        text += real_text(static_cast<const arrow::FloatArray&>(array).Value(i));
        break;
      case arrow::Type::TIMESTAMP:
        text += time_text(static_cast<const arrow::TimestampArray&>(array).Value(i),
                          static_cast<const arrow::TimestampType&>(*array.type()).unit());
        break;
      case arrow::Type::DICTIONARY: {
        const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
        append_value(text, *coded.dictionary(), coded.GetValueIndex(i));
        break;
      }
      case arrow::Type::LIST: {
        const auto& list = static_cast<const arrow::ListArray&>(array);
        for (auto at = list.value_offset(i); at < list.value_offset(i + 1); ++at) {
          if (at > list.value_offset(i)) text += '|';
          append_value(text, *list.values(), at);
        }
        break;
      }
      default:
        text += take(array.GetScalar(i))->ToString();
    }
  }
  void append(std::string& line, const arrow::Array& array, std::int64_t i) const {
    text_.clear();
    append_value(text_, array, i);
    append_csv_field(line, text_);
  }

  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<Column> columns_;
  mutable std::string text_;
};

// Arrow's exceptions are those of a damaged file.
template <class Work>
void with_table(const std::string& path, Work work) {
  try {
    Table table(path);
    work(table);
  } catch (const parquet::ParquetException& error) {
    throw InputError(path + ": the Parquet file cannot be read (" + error.what() + "); is it whole?");
  }
}

}  // namespace

std::string parquet_head(const std::string& path) {
  std::string text;
  with_table(path, [&](Table& table) {
    for (const auto& column : table.columns()) {
      if (&column != table.columns().data()) text += ',';
      append_csv_field(text, column.name);
    }
    text += '\n';
    std::int64_t rows = 0;
    for (int group = 0; group < table.groups() && rows < rows_looked_at; ++group) {
      table.read(group, std::vector<char>(table.columns().size(), 1), [&](const std::string& line) {
        text += line;
        return ++rows < rows_looked_at;
      });
    }
  });
  return text;
}

void read_parquet(const OpenedFile& file, int rank, int ranks, const std::function<void(const LineBlock&)>& parse) {
  with_table(file.path, [&](Table& table) {
    const auto& layout = file.layout;
    std::vector<char> wanted(table.columns().size(), file.whole ? 1 : 0);
    for (const auto column : {layout.first, layout.second, layout.weight, layout.time, layout.event, layout.split}) {
      if (column >= 0 && column < std::ssize(wanted)) wanted[column] = 1;
    }
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
      table.read(group, wanted, [&](const std::string& line) {
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
