#include "ingest/features/parquet_features.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/interruption.hpp"
#include "core/utf8.hpp"
#include "ingest/files/parquet_table.hpp"
#include "ingest/ids/id_interner.hpp"

namespace cohort {

namespace {

using arrow::Type;

bool is_list(const arrow::DataType& type) {
  return type.id() == Type::LIST || type.id() == Type::LARGE_LIST || type.id() == Type::FIXED_SIZE_LIST;
}

const arrow::DataType& value_type(const arrow::DataType& type) {
  if (type.id() == Type::DICTIONARY) return *static_cast<const arrow::DictionaryType&>(type).value_type();
  return is_list(type) ? *static_cast<const arrow::BaseListType&>(type).value_type() : type;
}

// Calls take(i, value) for the values from `begin` to before `end`; false: they are no numbers.
template <class Array, class Take>
bool take_each(const arrow::Array& array, std::int64_t begin, std::int64_t end, Take take) {
  const auto& of = static_cast<const Array&>(array);
  for (auto i = begin; i < end; ++i) take(i, static_cast<double>(of.Value(i)));
  return true;
}
template <class Take>
bool take_numbers(const arrow::Array& array, std::int64_t begin, std::int64_t end, Take take) {
  switch (array.type_id()) {
    case Type::BOOL:
      return take_each<arrow::BooleanArray>(array, begin, end, take);
    case Type::INT8:
      return take_each<arrow::Int8Array>(array, begin, end, take);
    case Type::INT16:
      return take_each<arrow::Int16Array>(array, begin, end, take);
    case Type::INT32:
      return take_each<arrow::Int32Array>(array, begin, end, take);
    case Type::INT64:
      return take_each<arrow::Int64Array>(array, begin, end, take);
    case Type::UINT8:
      return take_each<arrow::UInt8Array>(array, begin, end, take);
    case Type::UINT16:
      return take_each<arrow::UInt16Array>(array, begin, end, take);
    case Type::UINT32:
      return take_each<arrow::UInt32Array>(array, begin, end, take);
    case Type::UINT64:
      return take_each<arrow::UInt64Array>(array, begin, end, take);
    case Type::FLOAT:
      return take_each<arrow::FloatArray>(array, begin, end, take);
    case Type::DOUBLE:
      return take_each<arrow::DoubleArray>(array, begin, end, take);
    default:
      return false;
  }
}
bool is_number(const arrow::DataType& type) {
  return type.id() == Type::BOOL || arrow::is_integer(type.id()) || type.id() == Type::FLOAT ||
         type.id() == Type::DOUBLE;
}

// The values of a list: where they begin and end among those of all.
std::pair<std::int64_t, std::int64_t> range_of(const arrow::Array& array, std::int64_t i) {
  const auto range = [&](const auto& lists) {
    return std::pair<std::int64_t, std::int64_t>(lists.value_offset(i), lists.value_offset(i) + lists.value_length(i));
  };
  if (array.type_id() == Type::FIXED_SIZE_LIST) return range(static_cast<const arrow::FixedSizeListArray&>(array));
  if (array.type_id() == Type::LARGE_LIST) return range(static_cast<const arrow::LargeListArray&>(array));
  return range(static_cast<const arrow::ListArray&>(array));
}
const arrow::Array& values_of(const arrow::Array& array) {
  if (array.type_id() == Type::FIXED_SIZE_LIST) return *static_cast<const arrow::FixedSizeListArray&>(array).values();
  if (array.type_id() == Type::LARGE_LIST) return *static_cast<const arrow::LargeListArray&>(array).values();
  return *static_cast<const arrow::ListArray&>(array).values();
}

class Reading {
 public:
  Reading(ParquetTable& table, const FilePart& part) : table_(table), part_(part) {}

  ParquetFeatures read() {
    if (table_.columns().empty()) throw InputError(table_.path() + ": has no columns");
    find_ids();
    check_types();
    measure();
    begin_.push_back(0);
    for (const auto width : width_) begin_.push_back(begin_.back() + width);
    std::int64_t rows = 0;
    for (int group = 0; group < table_.groups(); ++group) rows += table_.rows(group);
    found_.entries.begin(rows, begin_.back(), part_, table_.path());
    found_.entries.dense = true;
    const auto [first, last] = part_.of(rows);
    const std::vector<char> all(table_.columns().size(), 1);
    std::int64_t group_begin = 0;
    for (int group = 0; group < table_.groups() && group_begin < last; ++group) {
      auto row = group_begin;
      group_begin += table_.rows(group);
      if (group_begin <= first) continue;
      table_.read(group, all, [&, from = first, to = last](const ParquetTable::Values& values, std::int64_t count) {
        end_if_interrupted();
        for (std::int64_t i = std::max<std::int64_t>(0, from - row); i < count && row + i < to; ++i) {
          take_row(values, i, row + i);
        }
        row += count;
        return row < to;
      });
    }
    return std::move(found_);
  }

 private:
  [[noreturn]] void refuse(std::int64_t row, const std::string& what) const {
    throw InputError(table_.path() + ": row " + std::to_string(row + 1) + ", " + what);
  }
  std::string name(std::size_t column) const { return "column " + cohort::quoted(table_.columns()[column].name); }

  // pandas puts an index behind the columns; one without a name that is numbers counts rows.
  void find_ids() {
    if (const auto index = table_.index()) {
      ids_ = *index;
      const auto& column = table_.columns()[ids_];
      if (column.name.starts_with("__index_level_") && arrow::is_integer(column.type->id())) {
        throw InputError(table_.path() + ": " + name(ids_) +
                         " is a table's index in pandas that has no name: ids, "
                         "or numbers of rows? Name it (df.index.name = \"id\"), or write the file with "
                         "to_parquet(index=False)");
      }
    }
    if (is_list(*table_.columns()[ids_].type)) {
      throw InputError(table_.path() + ": " + name(ids_) +
                       ", the first, holds lists; write the ids into the first column");
    }
  }

  void check_types() {
    found_.lists = true;
    bool any_list = false;
    for (std::size_t c = 0; c < table_.columns().size(); ++c) {
      const auto& type = *table_.columns()[c].type;
      if (c == ids_) continue;
      if (type.id() == Type::DICTIONARY || !is_number(value_type(type))) {
        throw InputError(table_.path() + ": " + name(c) + " is of type " +
                         (is_list(type) ? type : value_type(type)).ToString() +
                         ", where features are numbers or lists of them; leave the column out, or write it as float32");
      }
      found_.lists = found_.lists && is_list(type);
      any_list = any_list || is_list(type);
      found_.names.push_back(table_.columns()[c].name);
    }
    if (table_.columns().size() < 2) {
      throw InputError(table_.path() + ": has a column of ids alone; features are numbers beside it");
    }
    if (any_list) found_.names.clear();
  }

  // How many numbers the first row has in each column, which every other then has.
  void measure() {
    const std::vector<char> all(table_.columns().size(), 1);
    for (int group = 0; group < table_.groups() && width_.empty(); ++group) {
      table_.read(group, all, [&](const ParquetTable::Values& values, std::int64_t count) {
        if (count == 0) return true;
        for (std::size_t c = 0; c < values.size(); ++c) {
          const bool list = is_list(*values[c]->type());
          if (list && values[c]->IsNull(0)) refuse(0, name(c) + " has no value; fill it in, or leave the row out");
          const auto range = list ? range_of(*values[c], 0) : std::pair<std::int64_t, std::int64_t>(0, 1);
          width_.push_back(c == ids_ ? 0 : range.second - range.first);
          if (list && width_.back() == 0) refuse(0, name(c) + " is an empty list");
        }
        return false;
      });
    }
    if (width_.empty()) throw InputError(table_.path() + ": has no rows");
  }

  void take_row(const ParquetTable::Values& values, std::int64_t i, std::int64_t row) {
    text_.clear();
    table_.append_text(text_, *values[ids_], i);
    if (text_.empty()) refuse(row, name(ids_) + ", the ids, has no value; leave the row out");
    if (text_.size() > max_id_bytes) {
      refuse(row, name(ids_) + " has an id of more than 1,024 bytes");
    }
    if (text_.find('\0') != std::string::npos || find_invalid_utf8(text_) != std::string_view::npos) {
      refuse(row, name(ids_) + " has the id " + cohort::quoted(text_) + ", which is no text in UTF-8");
    }
    found_.ids.push_back(text_);
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (c == ids_) continue;
      const auto& array = *values[c];
      if (array.IsNull(i)) refuse(row, name(c) + " has no value; fill it in, or leave the row out");
      if (!is_list(*array.type())) {
        take(array, i, i + 1, c, row);
        continue;
      }
      const auto [begin, end] = range_of(array, i);
      if (end - begin != width_[c]) {
        refuse(row, name(c) + " is a list of " + std::to_string(end - begin) + " numbers, that of the first row of " +
                        std::to_string(width_[c]) + "; all need one length");
      }
      take(values_of(array), begin, end, c, row);
    }
  }
  void take(const arrow::Array& array, std::int64_t begin, std::int64_t end, std::size_t c, std::int64_t row) {
    take_numbers(array, begin, end, [&](std::int64_t i, double value) {
      const auto place = [&] {
        return name(c) + (is_list(*table_.columns()[c].type) ? "[" + std::to_string(i - begin) + "]" : "");
      };
      if (array.IsNull(i)) refuse(row, place() + " has no value; fill it in, or leave the row out");
      if (!std::isfinite(static_cast<float>(value))) {
        refuse(row, place() + " is " +
                        (std::isnan(value)   ? "not a number (NaN)"
                         : std::isinf(value) ? "infinite"
                                             : "beyond what a float32 holds") +
                        "; put a finite number there");
      }
      found_.entries.add(row, begin_[c] + i - begin, value, table_.path());
    });
  }

  ParquetTable& table_;
  FilePart part_;
  ParquetFeatures found_;
  std::size_t ids_ = 0;              // the column
  std::vector<std::int64_t> width_;  // by column; 0: the ids
  std::vector<std::int64_t> begin_;  // by column: its first among those of the features
  std::string text_;
};

}  // namespace

ParquetFeatures read_parquet_features(const std::string& path, const FilePart& part) {
  ParquetFeatures found;
  with_parquet(path, [&](ParquetTable& table) { found = Reading(table, part).read(); });
  return found;
}

}  // namespace cohort
