#include "ingest/files/parquet_table.hpp"

#include <arrow/io/file.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>

namespace cohort {

namespace {

// So many stay in the cache from reading to parsing, and their memory is used again; dictionaries, which come with
// every batch, are looked through seldom where batches are larger.
constexpr std::int64_t rows_at_once = std::int64_t{1} << 14;
constexpr std::int64_t coded_rows_at_once = std::int64_t{1} << 18;

void add_stored(const parquet::arrow::SchemaField& field, std::vector<int>& stored) {
  if (field.column_index >= 0) stored.push_back(field.column_index);
  for (const auto& child : field.children) add_stored(child, stored);
}

// Whether all values of a stored column are numbers into dictionaries; a writer falls back where they grow too large.
bool is_coded(const parquet::FileMetaData& metadata, int column) {
  for (int g = 0; g < metadata.num_row_groups(); ++g) {
    const auto chunk = metadata.RowGroup(g)->ColumnChunk(column);
    bool coded = false;
    for (const auto& pages : chunk->encoding_stats()) {
      if (pages.page_type != parquet::PageType::DATA_PAGE && pages.page_type != parquet::PageType::DATA_PAGE_V2)
        continue;
      coded =
          pages.encoding == parquet::Encoding::RLE_DICTIONARY || pages.encoding == parquet::Encoding::PLAIN_DICTIONARY;
      if (!coded) break;
    }
    if (!coded) return false;
  }
  return true;
}

// A date and time as ISO 8601, which needs no unit.
std::string time_text(std::int64_t value, arrow::TimeUnit::type unit) {
  const auto parts = parts_of_second(unit);
  const auto second = floor_divided(value, parts);
  const auto part = value - second * parts;
  const auto day = floor_divided(second, seconds_of_day);
  const auto left = second - day * seconds_of_day;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), left / 3600,
                          left / 60 % 60, left % 60);
  if (part != 0) {
    text += fmt::format(".{:0{}}", part, unit == arrow::TimeUnit::MILLI ? 3 : unit == arrow::TimeUnit::MICRO ? 6 : 9);
  }
  return text + "Z";
}

// Sixteen bytes that are no text are a UUID (RFC 9562): those of every UUID that keeps to it have one above ASCII.
void append_bytes(std::string& text, std::string_view bytes) {
  constexpr std::size_t uuid_bytes = 16;
  const bool is_text = std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c <= '~'; });
  if (bytes.size() != uuid_bytes || is_text) {
    text += bytes;
    return;
  }
  for (std::size_t i = 0; i < uuid_bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
}

// A number as text that is one with a point where it was one.
template <class Real>
std::string real_text(Real value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

ParquetTable::ParquetTable(const std::string& path) : path_(path) {
  auto file = take(arrow::io::ReadableFile::Open(path));
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(std::move(file)));
  parquet::ArrowReaderProperties properties(false);
  // Texts that repeat stay numbers into their dictionary.
  const auto metadata = builder.raw_reader()->metadata();
  const auto& schema = *metadata->schema();
  for (int c = 0; c < schema.num_columns(); ++c) {
    const auto* const column = schema.Column(c);
    if (column->physical_type() == parquet::Type::BYTE_ARRAY && column->max_repetition_level() == 0 &&
        is_coded(*metadata, c)) {
      properties.set_read_dictionary(c, true);
      coded_.insert(c);
    }
  }
  reader_ = take(builder.properties(properties)->Build());
  for (const auto& field : reader_->manifest().schema_fields) add_columns(field, "");
}

std::optional<std::size_t> ParquetTable::index() const {
  const auto pairs = reader_->parquet_reader()->metadata()->key_value_metadata();
  const auto at = pairs ? pairs->FindKey("pandas") : -1;
  const auto pandas = nlohmann::json::parse(at < 0 ? "{}" : pairs->value(at), nullptr, false);
  if (!pandas.is_object() || !pandas.contains("index_columns")) return {};
  const auto& names = pandas["index_columns"];
  if (!names.is_array() || names.size() != 1 || !names[0].is_string()) return {};
  const auto found = std::ranges::find(columns_, names[0].get<std::string>(), &Column::name);
  if (found == columns_.end()) return {};
  return static_cast<std::size_t>(found - columns_.begin());
}

void ParquetTable::add_columns(const parquet::arrow::SchemaField& field, const std::string& prefix) {
  const auto name = prefix + field.field->name();
  if (field.field->type()->id() == arrow::Type::STRUCT) {
    for (const auto& child : field.children) add_columns(child, name + ".");
    return;
  }
  columns_.push_back({name, field.field->type(), {}});
  add_stored(field, columns_.back().stored);
}

void ParquetTable::flatten(const std::shared_ptr<arrow::Array>& array, Values& found) const {
  if (array->type_id() == arrow::Type::EXTENSION) {
    flatten(static_cast<const arrow::ExtensionArray&>(*array).storage(), found);
    return;
  }
  if (array->type_id() != arrow::Type::STRUCT) {
    found.push_back(array);
    return;
  }
  for (const auto& child : take(static_cast<const arrow::StructArray&>(*array).Flatten())) flatten(child, found);
}

void ParquetTable::read(int group, const std::vector<char>& wanted,
                        const std::function<bool(const Values& values, std::int64_t rows)>& take_rows,
                        std::int64_t most_rows) {
  std::vector<int> stored;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (wanted[c]) stored.insert(stored.end(), columns_[c].stored.begin(), columns_[c].stored.end());
  }
  std::ranges::sort(stored);
  const bool coded = std::ranges::any_of(stored, [&](int column) { return coded_.contains(column); });
  reader_->set_batch_size(std::min(most_rows, coded ? coded_rows_at_once : rows_at_once));
  const auto batches = take(reader_->GetRecordBatchReader({group}, stored));
  for (std::shared_ptr<arrow::RecordBatch> batch;;) {
    check(batches->ReadNext(&batch));
    if (!batch) return;
    // In the order of the schema, so those that are wanted come one after the other.
    Values found;
    for (int i = 0; i < batch->num_columns(); ++i) flatten(batch->column(i), found);
    Values values(columns_.size());
    std::size_t next = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (wanted[c]) values[c] = found.at(next++);
    }
    if (!take_rows(values, batch->num_rows())) return;
  }
}

void ParquetTable::append_text(std::string& text, const arrow::Array& array, std::int64_t i) const {
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
    case arrow::Type::FIXED_SIZE_BINARY:
      append_bytes(text, static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(i));
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
      append_text(text, *coded.dictionary(), coded.GetValueIndex(i));
      break;
    }
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      for (auto at = list.value_offset(i); at < list.value_offset(i + 1); ++at) {
        if (at > list.value_offset(i)) text += '|';
        append_text(text, *list.values(), at);
      }
      break;
    }
    default:
      text += take(array.GetScalar(i))->ToString();
  }
}

}  // namespace cohort
