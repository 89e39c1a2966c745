#include "ingest/features/entries.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"

namespace cohort {

namespace {

[[noreturn]] void refuse_arrays(const std::string& name, const std::string& why) {
  throw InputError(name + ": the sparse matrix is inconsistent: " + why + "; write the file again");
}

// Offsets of rows (or columns) first .. first + count, checked; `all`: how many rows there are in all.
std::vector<std::int64_t> offsets(SparseArrays& arrays, std::int64_t first, std::int64_t count, std::int64_t all,
                                  const std::string& name) {
  const auto entries = arrays.size("indices");
  if (arrays.size("indptr") != all + 1) refuse_arrays(name, "indptr has another length than the shape says");
  auto begin = arrays.integers("indptr", first, count + 1);
  if (!std::ranges::is_sorted(begin) || begin.front() < 0 || begin.back() > entries ||
      (first == 0 && begin.front() != 0) || (first + count == all && begin.back() != entries)) {
    refuse_arrays(name, "indptr does not ascend from 0 to the number of indices");
  }
  return begin;
}

void check_range(const std::vector<std::int64_t>& values, std::int64_t count, const std::string& what,
                 const std::string& name) {
  if (!std::ranges::all_of(values, [&](std::int64_t value) { return value >= 0 && value < count; })) {
    refuse_arrays(name, what + " beyond its shape");
  }
}

}  // namespace

void ArrayEntries::begin(std::int64_t row_count, std::int64_t column_count, const FilePart& part,
                         const std::string& name) {
  if (column_count == 0 || row_count == 0) {
    throw InputError(name + ": is an array of " + std::to_string(row_count) + " x " + std::to_string(column_count) +
                     ": it holds nothing");
  }
  if (column_count > std::numeric_limits<std::int32_t>::max() - 1) {
    throw InputError(name + ": has " + with_commas(column_count) + " columns; at most 2^31 - 2 can be read");
  }
  rows = row_count;
  columns = column_count;
  const auto [first, last] = part.of(rows);
  for (auto row = first; row < last; ++row) {
    pairs.row.push_back(row);
    pairs.other.push_back(0);
    pairs.weight.push_back(0);
  }
}

void ArrayEntries::add(std::int64_t row, std::int64_t column, double value, const std::string& name) {
  const auto number = static_cast<float>(value);
  if (!std::isfinite(number)) {
    throw InputError(name + ": row " + std::to_string(row) + ", column " + std::to_string(column) + " (from 0) is " +
                     (std::isnan(value)   ? "not a number (NaN)"
                      : std::isinf(value) ? "infinite"
                                          : "beyond what a float32 holds") +
                     "; put a finite number there");
  }
  if (number == 0) return;
  pairs.row.push_back(row);
  pairs.other.push_back(column);
  pairs.weight.push_back(number);
}

ArrayEntries read_sparse(SparseArrays& arrays, const std::string& format, std::int64_t rows, std::int64_t columns,
                         const FilePart& part, const std::string& name) {
  if (format != "csr" && format != "csc" && format != "coo") {
    throw InputError(name + ": is a sparse matrix in the format " + quoted(format) +
                     "; csr, csc and coo can be read: convert it with .tocsr()");
  }
  ArrayEntries found;
  found.begin(rows, columns, part, name);
  const std::string counted_by = format == "coo" ? "row" : "indices";
  const auto entries = arrays.size(counted_by);
  if (arrays.size("data") != entries) refuse_arrays(name, "data has another length than " + counted_by);
  std::vector<std::int64_t> row;
  std::vector<std::int64_t> column;
  std::int64_t first = 0;
  if (format == "csr") {
    const auto [from, to] = part.of(rows);
    const auto begin = offsets(arrays, from, to - from, rows, name);
    first = begin.front();
    for (auto r = from; r < to; ++r) row.resize(begin[r - from + 1] - first, r);
    column = arrays.integers("indices", first, std::ssize(row));
  } else {
    const auto [from, to] = part.of(entries);
    first = from;
    if (format == "coo") {
      if (arrays.size("col") != entries) refuse_arrays(name, "col has another length than row");
      row = arrays.integers("row", from, to - from);
      column = arrays.integers("col", from, to - from);
    } else {
      const auto begin = offsets(arrays, 0, columns, columns, name);
      row = arrays.integers("indices", from, to - from);
      for (auto k = from; k < to; ++k) {
        column.push_back(std::upper_bound(begin.begin(), begin.end(), k) - begin.begin() - 1);
      }
    }
  }
  check_range(row, rows, "rows", name);
  check_range(column, columns, "columns", name);
  const auto value = arrays.numbers("data", first, std::ssize(row));
  for (std::size_t i = 0; i < row.size(); ++i) found.add(row[i], column[i], value[i], name);
  return found;
}

}  // namespace cohort
