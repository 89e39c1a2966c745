// A row-major float matrix whose rows are padded to 64 bytes, and views of it. Rows start on cache lines; the padding
// is zero and stays zero, so kernels may run over whole vectors without a tail.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace cohort {

/// Floats from one row to the next for a matrix of `columns` columns: the next multiple of 16.
constexpr std::int64_t padded_stride(std::int64_t columns) {
  return (columns + 15) / 16 * 16;
}

/// Rows are `stride` floats apart, of which `columns` mean something and the rest are zero. Does not own.
template <class Float>
struct BasicMatrixView {
  Float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;

  Float* row(std::int64_t index) const { return data + index * stride; }
  /// The meaningful part of a row.
  std::span<Float> at(std::int64_t index) const { return {row(index), static_cast<std::size_t>(columns)}; }
  /// `count` rows from `first` on.
  BasicMatrixView slice(std::int64_t first, std::int64_t count) const { return {row(first), count, columns, stride}; }
  operator BasicMatrixView<const Float>() const { return {data, rows, columns, stride}; }
};

using MatrixView = BasicMatrixView<float>;
using ConstMatrixView = BasicMatrixView<const float>;

/// Owns zeroed storage of rows x columns, aligned to 64 bytes, on huge pages where the system gives them.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t columns);

  std::int64_t rows() const { return view_.rows; }
  std::int64_t columns() const { return view_.columns; }
  std::int64_t stride() const { return view_.stride; }
  std::int64_t bytes() const { return view_.rows * view_.stride * static_cast<std::int64_t>(sizeof(float)); }
  float* row(std::int64_t index) { return view_.row(index); }
  const float* row(std::int64_t index) const { return view_.row(index); }
  MatrixView view() { return view_; }
  ConstMatrixView view() const { return view_; }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float, Free> storage_;
  MatrixView view_;
};

/// The same rows in storage of their own. May throw bad_alloc.
Matrix copy_of(ConstMatrixView rows);

}  // namespace cohort
