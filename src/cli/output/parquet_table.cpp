#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/writer.h>

#include <exception>
#include <utility>

#include "cli/output/table_sink.hpp"
#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::int64_t group_rows = 65'536;

// Arrow's stream into a file of ours. What writing throws is kept: nothing may pass through Arrow's destructors.
class FileStream final : public arrow::io::OutputStream {
 public:
  explicit FileStream(const std::string& path) : file_(path) {}

  arrow::Status Write(const void* data, std::int64_t size) override {
    if (failure_) return arrow::Status::IOError("not written");
    try {
      file_.write({static_cast<const char*>(data), static_cast<std::size_t>(size)});
    } catch (...) {
      failure_ = std::current_exception();
      return arrow::Status::IOError("not written");
    }
    position_ += size;
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }

  void check() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  void commit() { file_.commit(); }

 private:
  OutputFile file_;
  std::int64_t position_ = 0;
  bool closed_ = false;
  std::exception_ptr failure_;
};

std::shared_ptr<arrow::DataType> type_of(CellKind kind) {
  switch (kind) {
    case CellKind::text:
      return arrow::utf8();
    case CellKind::integer:
      return arrow::int64();
    case CellKind::real:
      return arrow::float64();
    case CellKind::real32:
      return arrow::float32();
    case CellKind::reals32:
      return arrow::list(arrow::float32());
  }
  return nullptr;
}

class ParquetSink final : public TableSink {
 public:
  ParquetSink(const std::string& path, const std::vector<TableColumn>& columns)
      : columns_(columns), stream_(std::make_shared<FileStream>(path)) {
    arrow::FieldVector fields;
    for (const auto& column : columns_) fields.push_back(arrow::field(column.name, type_of(column.kind)));
    schema_ = arrow::schema(fields);
    for (const auto& field : fields) builders_.push_back(take(arrow::MakeBuilder(field->type())));
    const auto properties = parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->build();
    writer_ = take(parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), stream_, properties));
  }

  void put(std::string_view rows) override {
    for (PackedCells cells(rows); !cells.at_end();) {
      for (std::size_t c = 0; c < columns_.size(); ++c) add(columns_[c], *builders_[c], cells);
      if (++waiting_ == group_rows) write_group();
    }
  }

  void commit() override {
    if (waiting_ > 0) write_group();
    check(writer_->Close());
    stream_->commit();
  }

 private:
  void check(const arrow::Status& status) const {
    stream_->check();
    if (!status.ok()) throw RunError("the Parquet file cannot be written: " + status.message());
  }
  template <class T>
  T take(arrow::Result<T> result) const {
    check(result.status());
    return std::move(result).ValueUnsafe();
  }

  void add(const TableColumn& column, arrow::ArrayBuilder& builder, PackedCells& cells) const {
    if (!cells.is_there()) return check(builder.AppendNull());
    switch (column.kind) {
      case CellKind::text: {
        const auto text = cells.text();
        return check(static_cast<arrow::StringBuilder&>(builder).Append(text.data(), static_cast<int>(text.size())));
      }
      case CellKind::integer:
        return check(static_cast<arrow::Int64Builder&>(builder).Append(cells.take<std::int64_t>()));
      case CellKind::real:
        return check(static_cast<arrow::DoubleBuilder&>(builder).Append(cells.take<double>()));
      case CellKind::real32:
        return check(static_cast<arrow::FloatBuilder&>(builder).Append(cells.take<float>()));
      case CellKind::reals32: {
        auto& list = static_cast<arrow::ListBuilder&>(builder);
        check(list.Append());
        auto& values = static_cast<arrow::FloatBuilder&>(*list.value_builder());
        for (std::int64_t i = 0; i < column.width; ++i) check(values.Append(cells.take<float>()));
      }
    }
  }

  void write_group() {
    arrow::ArrayVector arrays;
    for (const auto& builder : builders_) arrays.push_back(take(builder->Finish()));
    check(writer_->WriteTable(*arrow::Table::Make(schema_, arrays, waiting_), waiting_));
    waiting_ = 0;
  }

  std::vector<TableColumn> columns_;
  std::shared_ptr<FileStream> stream_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::int64_t waiting_ = 0;  // rows in the builders
};

}  // namespace

std::unique_ptr<TableSink> make_parquet_sink(const std::string& path, const std::vector<TableColumn>& columns) {
  return std::make_unique<ParquetSink>(path, columns);
}

}  // namespace cohort
