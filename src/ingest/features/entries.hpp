// The entries that a rank has read of an array of features, and how those of sparse arrays are read, whatever file they
// stand in.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "comm/distribution.hpp"
#include "data/pair_table.hpp"

namespace cohort {

/// Which of the ranks reads: part `part` of `parts`.
struct FilePart {
  int part = 0;
  int parts = 1;

  /// The range of 0..total-1 that is this part's.
  std::pair<std::int64_t, std::int64_t> of(std::int64_t total) const {
    const auto even = Distribution::even(total, parts);
    return {even.begin(part), even.end(part)};
  }
};

/// Of an array of rows x columns: `pairs` are rows of the file, columns and numbers. Every row has one entry at least,
/// on the rank that the row is of, and more than one may stand at a place, which then add up.
struct ArrayEntries {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool dense = false;
  RawPairs pairs;

  /// Takes the shape, and gives the rows of `part` an entry of zero each. Throws InputError where it has no columns, or
  /// more than 2^31 - 2. `name` goes into messages. Local.
  void begin(std::int64_t row_count, std::int64_t column_count, const FilePart& part, const std::string& name);
  /// Passes zeros over. Throws InputError where the number is not finite, in float32.
  void add(std::int64_t row, std::int64_t column, double value, const std::string& name);
};

/// Arrays of one dimension, by name, that make up a sparse one. Throw InputError. Local.
class SparseArrays {
 public:
  SparseArrays() = default;
  SparseArrays(const SparseArrays&) = delete;
  SparseArrays& operator=(const SparseArrays&) = delete;
  virtual ~SparseArrays() = default;

  virtual std::int64_t size(const std::string& name) = 0;
  virtual std::vector<std::int64_t> integers(const std::string& name, std::int64_t first, std::int64_t count) = 0;
  virtual std::vector<double> numbers(const std::string& name, std::int64_t first, std::int64_t count) = 0;
};

/// The part's entries of a matrix in the format csr, csc or coo, as SciPy names its arrays. Throws InputError: another
/// format, arrays that do not fit together or the shape. Local.
ArrayEntries read_sparse(SparseArrays& arrays, const std::string& format, std::int64_t rows, std::int64_t columns,
                         const FilePart& part, const std::string& name);

}  // namespace cohort
