// HDF5 files that all ranks write and read together: every rank gives or takes a contiguous run of rows, at its place
// in the file, without the others; rank 0 alone keeps the structure (store/structure.hpp). Every 1 MiB of a dataset has
// a checksum beside it, written with it and checked by every read; the structure has one of its own (store/seal.hpp).
//
// Everything here is collective unless marked local. A failure on one rank is thrown by all: InputError for a file that
// cannot be read or is damaged and for a place that cannot be written, RunError for a write that fails half-way (a full
// disk).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"
#include "store/element.hpp"
#include "store/file_bytes.hpp"

namespace cohort::h5 {

struct AttributeValue;
struct Catalogue;
struct DatasetPlace;
class StructureWriter;

/// A file under way. It has a temporary name until commit(), which renames it; without commit() it is removed, so a
/// reader never sees half a file.
class Writer {
 public:
  /// Throws InputError where the file cannot be created.
  Writer(const Communicator& comm, std::string path);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Attributes of the root group; the same value on all ranks.
  void attribute(const std::string& name, std::string_view text);
  void attribute(const std::string& name, std::int64_t number);
  void attribute(const std::string& name, const std::vector<std::string>& texts);
  void attribute(const std::string& name, const std::vector<std::int64_t>& numbers);
  void real_attribute(const std::string& name, double number);

  /// A one-dimensional dataset; groups on its way are made. `mine`: this rank's values, which follow those of the ranks
  /// before it; may be empty.
  template <Number T>
  void rows(const std::string& name, std::span<const T> mine) {
    write_numbers(name, element_of<T>(), sizeof(T), 0, mine.data(), std::ssize(mine));
  }
  /// A two-dimensional float32 dataset of this rank's rows, without their padding.
  void rows(const std::string& name, ConstMatrixView mine);
  /// A two-dimensional dataset of this rank's rows of `columns` >= 1 numbers, row by row.
  template <Number T>
  void table(const std::string& name, std::span<const T> mine, std::int64_t columns) {
    COHORT_CHECK(columns > 0 && std::ssize(mine) % columns == 0);
    write_numbers(name, element_of<T>(), sizeof(T), columns, mine.data(), std::ssize(mine) / columns);
  }
  /// Strings of one fixed length, the longest's, filled up with zeros; at(i) is this rank's i-th.
  void strings(const std::string& name, std::int64_t count, const std::function<std::string_view(std::int64_t)>& at);
  /// What all ranks hold: written once.
  template <Number T>
  void shared(const std::string& name, std::span<const T> values) {
    rows(name, comm_.is_root() ? values : std::span<const T>());
  }
  template <Number T>
  void shared_table(const std::string& name, std::span<const T> values, std::int64_t columns) {
    table(name, comm_.is_root() ? values : std::span<const T>(), columns);
  }
  void shared(const std::string& name, ConstMatrixView values) {
    rows(name, comm_.is_root() ? values : values.slice(0, 0));
  }

  /// Has everything on disk, and renames; what had the name before gets the name `previous`, if one is given. Nothing
  /// may be written afterwards.
  void commit(const std::string& previous = "");

 private:
  /// pack(first, count, buffer) returns where `count` rows from `first` on stand, in the buffer or elsewhere.
  using Pack = std::function<const char*(std::int64_t first, std::int64_t count, std::vector<char>& buffer)>;
  void write_numbers(const std::string& name, Element element, std::size_t bytes, std::int64_t columns,
                     const void* values, std::int64_t count);
  /// columns: 0 for a one-dimensional dataset.
  void write_rows(const std::string& name, Element element, std::int64_t element_bytes, std::int64_t columns,
                  std::int64_t count, const Pack& pack);
  void write_attribute(const std::string& name, const AttributeValue& value);

  Communicator comm_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<StructureWriter> structure_;  // rank 0's
  FileBytes data_;
  bool committed_ = false;
};

struct DatasetShape {
  std::string name;  ///< without the leading slash
  std::string type;  ///< int32, int64, float32, float64, or string
  std::vector<std::int64_t> shape;
};

/// HDF5 from here on prints nothing and does nothing when the process or MPI ends, where it would write a file to its
/// end that it could not write before, and crash. The program calls it before MPI starts: HDF5, once started, hangs
/// nothing on MPI's end only if MPI is not there yet. Local.
void start_hdf5();

/// A file whose structure is whole. What is not collective says so.
class Reader {
 public:
  /// Throws InputError: no such file, not readable, not HDF5, damaged or cut short, another file on some rank.
  Reader(const Communicator& comm, std::string path);

  /// Local, down to datasets(); the same on all ranks, and so is what they throw.
  const std::string& path() const { return path_; }
  bool has(const std::string& name) const;
  /// Whether the group of a dataset is there that is never absent from it. Throws InputError where that one is missing
  /// and others of the group are not.
  bool has_group_of(const std::string& name) const;
  bool has_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;
  /// At least `lowest`.
  std::int64_t integer_attribute(const std::string& name,
                                 std::int64_t lowest = std::numeric_limits<std::int64_t>::min()) const;
  double real_attribute(const std::string& name) const;
  std::vector<std::string> texts_attribute(const std::string& name) const;
  std::vector<std::int64_t> integers_attribute(const std::string& name) const;
  /// Throws InputError where there is no such dataset.
  std::vector<std::int64_t> shape(const std::string& name) const;
  /// Throws InputError where the dataset is missing or has another number of rows. Before memory is asked for.
  void expect_rows(const std::string& name, std::int64_t rows) const;
  /// All datasets under `group` ("" for the file), by name, without the checksums.
  std::vector<DatasetShape> datasets(const std::string& group = "") const;
  /// An error about a dataset: "PATH: dataset /NAME WHAT; put back a copy, or make the file again".
  InputError wrong(const std::string& name, const std::string& what) const;

  /// Rows [first, first + count) of a one-dimensional dataset; every rank asks for its own, in any order, also for
  /// none. Throws InputError where the dataset is missing, has other values or fewer rows, or is damaged there.
  template <Number T>
  std::vector<T> rows(const std::string& name, std::int64_t first, std::int64_t count) const {
    return table<T>(name, first, count, 0);
  }
  /// This rank's block of a one-dimensional dataset that must have blocks.total() rows.
  template <Number T>
  std::vector<T> rows(const std::string& name, const Distribution& blocks) const {
    expect_rows(name, blocks.total());
    return rows<T>(name, blocks.begin(comm_.rank()), blocks.count(comm_.rank()));
  }
  /// The whole dataset, on every rank; rank 0 reads it.
  template <Number T>
  std::vector<T> all(const std::string& name) const {
    auto values = rows<T>(name, 0, comm_.is_root() ? shape(name)[0] : 0);
    comm_.broadcast(values);
    return values;
  }
  Matrix matrix(const std::string& name, std::int64_t first, std::int64_t count) const;
  Matrix matrix(const std::string& name, const Distribution& blocks) const {
    expect_rows(name, blocks.total());
    return matrix(name, blocks.begin(comm_.rank()), blocks.count(comm_.rank()));
  }
  /// The whole matrix, on every rank; rank 0 reads it.
  Matrix whole_matrix(const std::string& name) const;
  /// The same for numbers, row by row, of a dataset that has `columns` columns; 0: of one dimension.
  template <Number T>
  std::vector<T> table(const std::string& name, std::int64_t first, std::int64_t count, std::int64_t columns) const {
    const auto& place = checked_place(name, element_of<T>(), columns);
    check_range(name, first, count);
    std::vector<T> result;
    comm_.attempt([&] {
      result.resize(count * std::max<std::int64_t>(1, columns));
      read_rows(name, place, first, count, reinterpret_cast<char*>(result.data()));
    });
    return result;
  }
  template <Number T>
  std::vector<T> table(const std::string& name, const Distribution& blocks, std::int64_t columns) const {
    expect_rows(name, blocks.total());
    return table<T>(name, blocks.begin(comm_.rank()), blocks.count(comm_.rank()), columns);
  }
  /// The whole table, on every rank; rank 0 reads it.
  template <Number T>
  std::vector<T> whole_table(const std::string& name, std::int64_t rows, std::int64_t columns) const {
    expect_rows(name, rows);
    auto values = table<T>(name, 0, comm_.is_root() ? rows : 0, columns);
    comm_.broadcast(values);
    return values;
  }
  /// Calls take(text), without the zeros at its end, for each of the rows.
  void strings(const std::string& name, std::int64_t first, std::int64_t count,
               const std::function<void(std::string_view)>& take) const;
  /// All of a dataset's strings, on every rank; rank 0 reads them.
  std::vector<std::string> all_strings(const std::string& name) const;

  /// Rows [first, first + count) as the bytes that the file has, of a dataset of any kind.
  std::vector<char> stored(const std::string& name, std::int64_t first, std::int64_t count) const;

 private:
  const AttributeValue& attribute(const std::string& name) const;
  const DatasetPlace& place(const std::string& name) const;
  /// Throws where it does not hold such values in so many columns (0: one dimension).
  const DatasetPlace& checked_place(const std::string& name, Element element, std::int64_t columns) const;
  /// Throws on all ranks where the rows that one asks for are not there. Collective.
  void check_range(const std::string& name, std::int64_t first, std::int64_t count) const;
  /// Hands out bytes [begin, end) of a dataset's data in order, after checking all blocks that they touch. Local.
  void read_bytes(const std::string& name, const DatasetPlace& place, std::int64_t begin, std::int64_t end,
                  const std::function<void(std::string_view)>& take) const;
  void read_rows(const std::string& name, const DatasetPlace& place, std::int64_t first, std::int64_t count,
                 char* into) const;

  Communicator comm_;
  std::string path_;
  FileBytes data_;
  std::shared_ptr<const Catalogue> catalogue_;
};

/// Datasets of two files, by name. The same on all ranks.
struct Differences {
  std::vector<std::string> differ;      ///< other bits, another shape or another type
  std::vector<std::string> only_first;  ///< in the first file only
  std::vector<std::string> only_second;
  std::int64_t same = 0;  ///< how many datasets are
};

/// left_out: groups whose datasets are not looked at.
Differences compare_datasets(const Communicator& comm, const Reader& first, const Reader& second,
                             const std::vector<std::string>& left_out);

}  // namespace cohort::h5
