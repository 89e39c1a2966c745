#include "cli/output/table_rows.hpp"

#include <charconv>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/output/table_sink.hpp"
#include "cli/output/text_output.hpp"
#include "core/csv_field.hpp"
#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

class TextSink final : public TableSink {
 public:
  explicit TextSink(const std::string& path) : file_(path) {}
  void put(std::string_view rows) override { file_.write(rows); }
  void commit() override { file_.commit(); }

 private:
  OutputFile file_;
};

std::string csv_header(const std::vector<TableColumn>& columns) {
  std::string text;
  const auto add = [&](const std::string& name) { text += (text.empty() ? "" : ",") + name; };
  for (const auto& column : columns) {
    if (column.kind != CellKind::reals32) {
      add(column.name);
      continue;
    }
    for (std::int64_t c = 0; c < column.width; ++c) add("e" + std::to_string(c));
  }
  return text + "\n";
}

template <class Value>
void append_bytes(std::string& out, const Value& value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

}  // namespace

TableFormat table_format(const std::string& format, const std::string& path) {
  const auto name = format.empty() ? std::filesystem::path(path).extension().string() : "." + format;
  if (name == ".parquet" || name == ".pq") return TableFormat::parquet;
  return name == ".jsonl" || name == ".ndjson" || name == ".json" ? TableFormat::jsonl : TableFormat::csv;
}

TableRow::TableRow(TableFormat format, const std::vector<TableColumn>& columns, std::string& out)
    : format_(format), columns_(columns), out_(out) {}

void TableRow::start() {
  COHORT_CHECK(next_ < columns_.size(), "a row has as many cells as the table has columns");
  const bool first = next_ == 0;
  const auto& column = columns_[next_++];
  if (format_ == TableFormat::jsonl) {
    out_ += first ? "{\"" : ",\"";
    out_.append(column.name).append("\":");
  } else if (format_ == TableFormat::csv && !first) {
    out_ += ',';
  } else if (format_ == TableFormat::parquet) {
    out_ += '\1';
  }
}

template <class Number>
void TableRow::digits(Number value) {
  if constexpr (std::floating_point<Number>) {
    if (format_ == TableFormat::jsonl && !std::isfinite(value)) {
      out_ += "null";
      return;
    }
  }
  char text[40];
  out_.append(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

template <class Number>
void TableRow::number(Number value) {
  start();
  if (format_ == TableFormat::parquet) {
    append_bytes(out_, value);
  } else {
    digits(value);
  }
}

void TableRow::text(std::string_view value) {
  start();
  if (format_ == TableFormat::parquet) {
    append_bytes(out_, static_cast<std::int64_t>(value.size()));
    out_ += value;
  } else if (format_ == TableFormat::jsonl) {
    out_ += nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } else {
    out_ += csv_field(value);
  }
}

void TableRow::integer(std::int64_t value) {
  number(value);
}

void TableRow::real(double value) {
  number(value);
}

void TableRow::real32(float value) {
  number(value);
}

void TableRow::reals(std::span<const float> values) {
  start();
  if (format_ == TableFormat::jsonl) out_ += '[';
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (format_ == TableFormat::parquet) {
      append_bytes(out_, values[c]);
      continue;
    }
    if (c > 0) out_ += ',';
    digits(values[c]);
  }
  if (format_ == TableFormat::jsonl) out_ += ']';
}

void TableRow::none() {
  start();
  if (format_ == TableFormat::parquet) out_.back() = '\0';
  if (format_ == TableFormat::jsonl) out_ += "null";
}

void TableRow::end() {
  COHORT_CHECK(next_ == columns_.size(), "a row has as many cells as the table has columns");
  next_ = 0;
  if (format_ != TableFormat::parquet) out_ += format_ == TableFormat::jsonl ? "}\n" : "\n";
}

TableOutput::TableOutput(const Communicator& comm, const std::string& path, TableFormat format,
                         std::vector<TableColumn> columns)
    : comm_(comm), format_(format), columns_(std::move(columns)) {
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    if (format_ == TableFormat::parquet) {
      sink_ = make_parquet_sink(path, columns_);
      return;
    }
    sink_ = std::make_unique<TextSink>(path);
    if (format_ == TableFormat::csv) sink_->put(csv_header(columns_));
  });
}

TableOutput::~TableOutput() = default;

void TableOutput::write(std::int64_t count, const std::function<void(TableRow&, std::int64_t)>& fill) {
  std::int64_t next = 0;
  gather_pieces(
      comm_,
      [&](std::string& piece) {
        TableRow row(format_, columns_, piece);
        while (next < count && piece.size() < piece_bytes) {
          fill(row, next++);
          row.end();
        }
        return next < count;
      },
      [&](std::string_view piece) { sink_->put(piece); });
}

void TableOutput::commit() {
  comm_.attempt([&] {
    if (comm_.is_root()) sink_->commit();
  });
}

}  // namespace cohort
