// HDF5 files written and read by all ranks together: every rank gives or takes a contiguous run of rows, in collective
// MPI-IO transfers of bounded size. For the files of store/; nobody else includes HDF5.
//
// Everything here is collective unless marked local. A failure on one rank is thrown by all: InputError for a file that
// cannot be read or a place that cannot be written, RunError for a write that fails half-way (a full disk).
#pragma once

#include <hdf5.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"

namespace cohort::h5 {

template <class T>
concept Number =
    std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> || std::same_as<T, float> || std::same_as<T, double>;

template <Number T>
hid_t memory_type() {
  if constexpr (std::same_as<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::same_as<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::same_as<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::same_as<T, double>) return H5T_NATIVE_DOUBLE;
}

/// Owns an HDF5 identifier of any kind that H5Idec_ref lets go of. Local.
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(other.id_) { other.id_ = H5I_INVALID_HID; }
  Handle& operator=(Handle&& other) noexcept;
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  void reset();
  hid_t release();  ///< gives the identifier away

 private:
  hid_t id_ = H5I_INVALID_HID;
};

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
    write_rows(
        name, memory_type<T>(), sizeof(T), 0, std::ssize(mine),
        [&](std::int64_t first, std::int64_t, std::vector<char>&) -> const void* { return mine.data() + first; });
  }
  /// A two-dimensional float32 dataset of this rank's rows, without their padding.
  void rows(const std::string& name, ConstMatrixView mine);
  /// A two-dimensional dataset of this rank's rows of `columns` >= 1 numbers, row by row.
  template <Number T>
  void table(const std::string& name, std::span<const T> mine, std::int64_t columns) {
    COHORT_CHECK(columns > 0 && std::ssize(mine) % columns == 0);
    write_rows(name, memory_type<T>(), static_cast<std::size_t>(columns) * sizeof(T), columns,
               std::ssize(mine) / columns, [&](std::int64_t first, std::int64_t, std::vector<char>&) -> const void* {
                 return mine.data() + first * columns;
               });
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

  /// Flushes, closes and renames. Nothing may be written afterwards.
  void commit();

 private:
  /// pack(first, count, buffer) returns where `count` rows from `first` on stand, in the buffer or elsewhere. columns:
  /// 0 for a one-dimensional dataset.
  using Pack = std::function<const void*(std::int64_t first, std::int64_t count, std::vector<char>& buffer)>;
  void write_rows(const std::string& name, hid_t memory_type, std::size_t row_bytes, std::int64_t columns,
                  std::int64_t count, const Pack& pack);
  void write_attribute(const std::string& name, hid_t type, const void* values, std::int64_t count);
  void agree(bool ok, const std::string& what);

  Communicator comm_;
  std::string path_;
  std::string temporary_;
  Handle file_;
  bool committed_ = false;
};

struct DatasetShape {
  std::string name;  ///< without the leading slash
  std::string type;  ///< int32, int64, float32, float64, or string
  std::vector<std::int64_t> shape;
};

class Reader {
 public:
  /// Throws InputError: no such file, not readable, not HDF5, damaged or cut short.
  Reader(const Communicator& comm, std::string path);

  const std::string& path() const { return path_; }
  bool has(const std::string& name) const;
  bool has_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;
  std::int64_t integer_attribute(const std::string& name) const;
  double real_attribute(const std::string& name) const;
  std::vector<std::string> texts_attribute(const std::string& name) const;
  std::vector<std::int64_t> integers_attribute(const std::string& name) const;

  /// Throws InputError where there is no such dataset.
  std::vector<std::int64_t> shape(const std::string& name) const;
  /// Rows [first, first + count) of a one-dimensional dataset; every rank asks for its own, in any order, also for
  /// none. Throws InputError where the dataset is missing, has other values or fewer rows.
  template <Number T>
  std::vector<T> rows(const std::string& name, std::int64_t first, std::int64_t count) const {
    std::vector<T> result;
    comm_.attempt([&] { result.resize(static_cast<std::size_t>(count)); });
    read_rows(name, memory_type<T>(), sizeof(T), 0, first, count,
              [&](std::int64_t done, std::int64_t, std::vector<char>&) -> void* { return result.data() + done; }, {});
    return result;
  }
  /// The whole dataset, on every rank.
  template <Number T>
  std::vector<T> all(const std::string& name) const {
    return rows<T>(name, 0, shape(name).at(0));
  }
  Matrix matrix(const std::string& name, std::int64_t first, std::int64_t count) const;
  /// The same for numbers, row by row, of a dataset that has `columns` columns.
  template <Number T>
  std::vector<T> table(const std::string& name, std::int64_t first, std::int64_t count, std::int64_t columns) const {
    std::vector<T> result;
    comm_.attempt([&] { result.resize(static_cast<std::size_t>(count * columns)); });
    read_rows(
        name, memory_type<T>(), static_cast<std::size_t>(columns) * sizeof(T), columns, first, count,
        [&](std::int64_t done, std::int64_t, std::vector<char>&) -> void* { return result.data() + done * columns; },
        {});
    return result;
  }
  /// Calls take(text), without the zeros at its end, for each of the rows.
  void strings(const std::string& name, std::int64_t first, std::int64_t count,
               const std::function<void(std::string_view)>& take) const;

  /// Rows [first, first + count) as the bytes that the file has, of a dataset of any kind of one or two dimensions.
  std::vector<char> stored(const std::string& name, std::int64_t first, std::int64_t count) const;

  /// All datasets under `group` ("" for the file), by name.
  std::vector<DatasetShape> datasets(const std::string& group = "") const;

 private:
  /// place(done, count, buffer): where to read `count` rows after the first `done`; taken(done, count, buffer) is
  /// called when they are there.
  using Place = std::function<void*(std::int64_t done, std::int64_t count, std::vector<char>& buffer)>;
  using Taken = std::function<void(std::int64_t done, std::int64_t count, const std::vector<char>& buffer)>;
  void read_rows(const std::string& name, hid_t memory_type, std::size_t row_bytes, std::int64_t columns,
                 std::int64_t first, std::int64_t count, const Place& place, const Taken& taken) const;
  Handle open_dataset(const std::string& name) const;
  Handle open_attribute(const std::string& name) const;
  void agree(bool ok, const std::string& what) const;

  Communicator comm_;
  std::string path_;
  Handle file_;
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
