#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "core/interruption.hpp"
#include "ingest/files/parquet_file.hpp"
#include "ingest/files/parquet_table.hpp"

namespace cohort {

namespace {

using arrow::Type;

// What a column is read for: ids and names are texts unless they are whole numbers.
enum class Use { id, weight, time, name };

// The seconds that ISO 8601 can say: from the year 0 to 9999.
constexpr std::int64_t first_second = -62'167'219'200;
constexpr std::int64_t last_second = 253'402'300'799;
// Whole numbers below it, and powers of ten up to 10^22, are float64 numbers; their quotient is rounded once.
constexpr std::int64_t exact_in_double = std::int64_t{1} << 53;
constexpr int exact_power_of_ten = 22;

// The columns of a block, and the memory of what is not as it stands in the file.
class Block {
 public:
  Block(const ParquetTable& table, const FileLayout& layout, const ParquetTable::Values& values, std::int64_t rows)
      : table_(table) {
    block_.rows = rows;
    const auto take = [&](std::int32_t column, Use use, ColumnValues& into) {
      if (column >= 0) take_column(values.at(column), use, into);
    };
    take(layout.first, Use::id, block_.first);
    take(layout.second, Use::id, block_.second);
    take(layout.weight, Use::weight, block_.weight);
    take(layout.time, Use::time, block_.time);
    take(layout.event, Use::name, block_.event);
    take(layout.split, Use::name, block_.split);
  }

  ColumnBlock& block() { return block_; }

 private:
  void take_column(const std::shared_ptr<arrow::Array>& array, Use use, ColumnValues& column) {
    column.text_of = [this, array](std::int64_t row) {
      std::string text;
      table_.append_text(text, *array, row);
      return text;
    };
    if (array->null_count() > 0) {
      column.present = array->null_bitmap_data();
      column.first_bit = array->offset();
    }
    const bool taken = take_texts(*array, column) || (use != Use::name && take_integers(*array, column)) ||
                       (use == Use::weight && take_weights(*array, column)) ||
                       (use == Use::time && take_times(*array, column));
    if (!taken) print(*array, column);
  }

  template <class Array>
  static void view_texts(const arrow::Array& array, ColumnValues& column) {
    const auto& of = static_cast<const Array&>(array);
    auto& texts = column.texts;
    texts.reserve(of.length());
    if (of.null_count() == 0) {
      for (std::int64_t i = 0; i < of.length(); ++i) texts.push_back(of.GetView(i));
    } else {
      for (std::int64_t i = 0; i < of.length(); ++i) texts.push_back(of.IsNull(i) ? std::string_view() : of.GetView(i));
    }
    const auto* const bytes = of.raw_data();
    unsigned seen = 0;
    for (auto i = of.value_offset(0); i < of.value_offset(of.length()); ++i) seen |= bytes[i] | (bytes[i] - 1U);
    column.ascii = (seen & 0x80U) == 0;
  }
  static bool take_plain_texts(const arrow::Array& array, ColumnValues& column) {
    const auto type = array.type_id();
    if (type == Type::STRING || type == Type::BINARY) {
      view_texts<arrow::BinaryArray>(array, column);
    } else if (type == Type::LARGE_STRING || type == Type::LARGE_BINARY) {
      view_texts<arrow::LargeBinaryArray>(array, column);
    } else {
      return false;
    }
    column.kind = ColumnValues::Kind::texts;
    return true;
  }
  bool take_texts(const arrow::Array& array, ColumnValues& column) {
    if (array.type_id() == Type::BOOL) {
      column.kind = ColumnValues::Kind::texts;
      column.texts = {"false", "true"};
      const auto& of = static_cast<const arrow::BooleanArray&>(array);
      column.code = make<std::int32_t>(of.length(), [&](std::int64_t i) { return of.Value(i) ? 1 : 0; });
      return true;
    }
    if (array.type_id() != Type::DICTIONARY) return take_plain_texts(array, column);
    const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
    const auto& indices = *coded.indices();
    // A null among the words is one more way to say that there is none.
    if (coded.dictionary()->null_count() > 0 || !take_plain_texts(*coded.dictionary(), column)) return false;
    column.code = indices.type_id() == Type::INT32
                      ? static_cast<const arrow::Int32Array&>(indices).raw_values()
                      : make<std::int32_t>(indices.length(), [&](std::int64_t i) {
                          return indices.IsNull(i) ? 0 : static_cast<std::int32_t>(coded.GetValueIndex(i));
                        });
    return true;
  }

  template <class Array>
  bool copy_integers(const arrow::Array& array, ColumnValues& column) {
    const auto& of = static_cast<const Array&>(array);
    column.kind = ColumnValues::Kind::integers;
    column.integers =
        make<std::int64_t>(of.length(), [&](std::int64_t i) { return static_cast<std::int64_t>(of.Value(i)); });
    return true;
  }
  bool take_integers(const arrow::Array& array, ColumnValues& column) {
    switch (array.type_id()) {
      case Type::INT64:
        column.kind = ColumnValues::Kind::integers;
        column.integers = static_cast<const arrow::Int64Array&>(array).raw_values();
        return true;
      case Type::INT32:
        return copy_integers<arrow::Int32Array>(array, column);
      case Type::INT16:
        return copy_integers<arrow::Int16Array>(array, column);
      case Type::INT8:
        return copy_integers<arrow::Int8Array>(array, column);
      case Type::UINT32:
        return copy_integers<arrow::UInt32Array>(array, column);
      case Type::UINT16:
        return copy_integers<arrow::UInt16Array>(array, column);
      case Type::UINT8:
        return copy_integers<arrow::UInt8Array>(array, column);
      case Type::UINT64: {
        const auto& of = static_cast<const arrow::UInt64Array&>(array);
        for (std::int64_t i = 0; i < of.length(); ++i) {
          if (!of.IsNull(i) && of.Value(i) > static_cast<std::uint64_t>(INT64_MAX)) return false;
        }
        return copy_integers<arrow::UInt64Array>(array, column);
      }
      default:
        return false;
    }
  }

  bool take_weights(const arrow::Array& array, ColumnValues& column) {
    if (array.type_id() == Type::DOUBLE) {
      column.reals = static_cast<const arrow::DoubleArray&>(array).raw_values();
    } else if (array.type_id() == Type::FLOAT) {
      const auto& of = static_cast<const arrow::FloatArray&>(array);
      column.reals = make<double>(of.length(), [&](std::int64_t i) { return static_cast<double>(of.Value(i)); });
    } else if (array.type_id() == Type::DECIMAL128) {
      if (!take_decimals(static_cast<const arrow::Decimal128Array&>(array), column)) return false;
    } else {
      return false;
    }
    column.kind = ColumnValues::Kind::reals;
    return true;
  }
  bool take_decimals(const arrow::Decimal128Array& array, ColumnValues& column) {
    const auto scale = static_cast<const arrow::Decimal128Type&>(*array.type()).scale();
    if (scale < 0 || scale > exact_power_of_ten) return false;
    const auto is_exact = [](const arrow::Decimal128& value) {
      return value >= arrow::Decimal128(-exact_in_double) && value <= arrow::Decimal128(exact_in_double);
    };
    double power = 1;
    for (int i = 0; i < scale; ++i) power *= 10;
    auto& numbers = keep<double>(array.length());
    for (std::int64_t i = 0; i < array.length(); ++i) {
      if (array.IsNull(i)) continue;
      const arrow::Decimal128 value(array.GetValue(i));
      if (!is_exact(value)) return false;
      numbers[i] = static_cast<double>(static_cast<std::int64_t>(value.low_bits())) / power;
    }
    column.reals = numbers.data();
    return true;
  }

  bool take_times(const arrow::Array& array, ColumnValues& column) {
    if (array.type_id() == Type::DOUBLE) {
      column.kind = ColumnValues::Kind::reals;
      column.reals = static_cast<const arrow::DoubleArray&>(array).raw_values();
      return true;
    }
    const auto taken = [&](std::int64_t parts, auto value_of) {
      auto& seconds = keep<double>(array.length());
      for (std::int64_t i = 0; i < array.length(); ++i) {
        if (array.IsNull(i)) continue;
        const auto value = value_of(i);
        const auto second = floor_divided(value, parts);
        if (second < first_second || second > last_second) return false;
        // As text of the same time is read: day and time of day are rounded by themselves.
        const auto day = floor_divided(second, seconds_of_day);
        seconds[i] = static_cast<double>(day * seconds_of_day) +
                     (static_cast<double>(second - day * seconds_of_day) +
                      static_cast<double>(value - second * parts) / static_cast<double>(parts));
      }
      column.kind = ColumnValues::Kind::seconds;
      column.reals = seconds.data();
      return true;
    };
    if (array.type_id() == Type::TIMESTAMP) {
      const auto* const values = static_cast<const arrow::TimestampArray&>(array).raw_values();
      return taken(parts_of_second(static_cast<const arrow::TimestampType&>(*array.type()).unit()),
                   [&](std::int64_t i) { return values[i]; });
    }
    if (array.type_id() == Type::DATE32) {
      const auto* const values = static_cast<const arrow::Date32Array&>(array).raw_values();
      return taken(1, [&](std::int64_t i) { return values[i] * seconds_of_day; });
    }
    return false;
  }

  // Whatever else there is.
  void print(const arrow::Array& array, ColumnValues& column) {
    auto& printed = *printed_.emplace_back(std::make_unique<std::string>());
    std::vector<std::size_t> end;
    for (std::int64_t i = 0; i < array.length(); ++i) {
      table_.append_text(printed, array, i);
      end.push_back(printed.size());
    }
    column.kind = ColumnValues::Kind::texts;
    for (std::size_t i = 0; i < end.size(); ++i) {
      const auto begin = i == 0 ? 0 : end[i - 1];
      column.texts.emplace_back(printed.data() + begin, end[i] - begin);
    }
  }

  template <class T>
  std::vector<T>& keep(std::int64_t count) {
    auto kept = std::make_shared<std::vector<T>>(count);
    kept_.push_back(kept);
    return *kept;
  }
  template <class T, class ValueOf>
  const T* make(std::int64_t count, ValueOf value_of) {
    auto& values = keep<T>(count);
    for (std::int64_t i = 0; i < count; ++i) values[i] = value_of(i);
    return values.data();
  }

  const ParquetTable& table_;
  ColumnBlock block_;
  std::vector<std::shared_ptr<void>> kept_;
  std::vector<std::unique_ptr<std::string>> printed_;
};

}  // namespace

void read_parquet_columns(const OpenedFile& file, int rank, int ranks,
                          const std::function<void(const ColumnBlock&)>& parse) {
  with_parquet(file.path, [&](ParquetTable& table) {
    const auto& layout = file.layout;
    std::vector<char> wanted(table.columns().size(), 0);
    for (const auto column : {layout.first, layout.second, layout.weight, layout.time, layout.event, layout.split}) {
      if (column >= 0) wanted.at(column) = 1;
    }
    std::int64_t left = 0;
    for (int group = rank; group < table.groups(); group += ranks) left += table.rows(group);
    std::int64_t row = 1;
    for (int group = 0; group < table.groups(); ++group) {
      auto first = row;
      row += table.rows(group);
      if (group % ranks != rank) continue;
      table.read(group, wanted, [&](const ParquetTable::Values& values, std::int64_t rows) {
        end_if_interrupted();
        Block of(table, layout, values, rows);
        of.block().first_row = std::exchange(first, first + rows);
        of.block().left = left -= rows;
        parse(of.block());
        return true;
      });
    }
  });
}

}  // namespace cohort
