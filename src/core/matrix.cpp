#include "core/matrix.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/error.hpp"

namespace cohort {

namespace {
constexpr std::size_t huge_page = std::size_t{2} << 20;
}

void Matrix::Free::operator()(float* data) const {
  std::free(data);
}

Matrix::Matrix(std::int64_t rows, std::int64_t columns) {
  COHORT_CHECK(rows >= 0 && columns >= 0);
  const std::int64_t stride = padded_stride(columns);
  const auto bytes = static_cast<std::size_t>(rows * stride) * sizeof(float);
  if (bytes > 0) {
    const std::size_t alignment = bytes >= huge_page ? huge_page : 64;
    const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
    storage_.reset(static_cast<float*>(std::aligned_alloc(alignment, size)));
    if (!storage_) throw std::bad_alloc();
    if (alignment == huge_page) madvise(storage_.get(), size, MADV_HUGEPAGE);
    std::memset(storage_.get(), 0, size);
  }
  view_ = {storage_.get(), rows, columns, stride};
}

Matrix copy_of(ConstMatrixView rows) {
  Matrix copy(rows.rows, rows.columns);
  std::copy_n(rows.data, rows.rows * rows.stride, copy.view().data);
  return copy;
}

}  // namespace cohort
