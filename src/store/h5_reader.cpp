#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "store/h5.hpp"
#include "store/h5_support.hpp"

namespace cohort::h5 {

namespace {

void check_signature(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw InputError("cannot read " + path + ": " + std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  constexpr std::array<char, 8> expected{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> found{};
  const bool same = regular && ::read(descriptor, found.data(), found.size()) == std::ssize(found) && found == expected;
  ::close(descriptor);
  if (!regular) throw InputError(path + " is not a file");
  if (!same) throw InputError(path + " is not an HDF5 file");
}

std::string type_name(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return "int" + std::to_string(H5Tget_size(type) * 8);
    case H5T_FLOAT:
      return "float" + std::to_string(H5Tget_size(type) * 8);
    case H5T_STRING:
      return "string";
    default:
      return "other";
  }
}

std::vector<std::int64_t> shape_of(hid_t dataset) {
  const Handle space(H5Dget_space(dataset));
  std::vector<hsize_t> size(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space.get()))));
  H5Sget_simple_extent_dims(space.get(), size.data(), nullptr);
  return {size.begin(), size.end()};
}

std::int64_t attribute_size(hid_t attribute) {
  const Handle space(H5Aget_space(attribute));
  return H5Sget_simple_extent_npoints(space.get());
}

bool exists(hid_t file, const std::string& name) {
  for (auto end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1)) {
    if (H5Lexists(file, name.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0;
}

}  // namespace

Reader::Reader(const Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {
  silence_errors();
  comm_.attempt([&] { check_signature(path_); });
  file_ = Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, parallel_access(comm_).get()));
  agree(static_cast<bool>(file_), "opening it");
}

void Reader::agree(bool ok, const std::string& what) const {
  const auto reason = ok ? std::string() : last_error();
  comm_.attempt([&] {
    if (!ok) {
      throw InputError(path_ + " is damaged or cut short: " + what + " failed" +
                       (reason.empty() ? "" : " (" + reason + ")"));
    }
  });
}

bool Reader::has(const std::string& name) const {
  return exists(file_.get(), name);
}

bool Reader::has_attribute(const std::string& name) const {
  return H5Aexists(file_.get(), name.c_str()) > 0;
}

Handle Reader::open_attribute(const std::string& name) const {
  Handle attribute(H5Aopen(file_.get(), name.c_str(), H5P_DEFAULT));
  agree(static_cast<bool>(attribute), "reading attribute " + name);
  return attribute;
}

std::string Reader::text_attribute(const std::string& name) const {
  const auto texts = texts_attribute(name);
  agree(texts.size() == 1, "reading attribute " + name);
  return texts[0];
}

std::int64_t Reader::integer_attribute(const std::string& name) const {
  const auto numbers = integers_attribute(name);
  agree(numbers.size() == 1, "reading attribute " + name);
  return numbers[0];
}

double Reader::real_attribute(const std::string& name) const {
  const auto attribute = open_attribute(name);
  double number = 0;
  agree(attribute_size(attribute.get()) == 1 && H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &number) >= 0,
        "reading attribute " + name);
  return number;
}

std::vector<std::string> Reader::texts_attribute(const std::string& name) const {
  const auto attribute = open_attribute(name);
  std::vector<char*> values(static_cast<std::size_t>(attribute_size(attribute.get())));
  const auto type = text_type();
  agree(values.empty() || H5Aread(attribute.get(), type.get(), values.data()) >= 0, "reading attribute " + name);
  std::vector<std::string> texts;
  for (const char* value : values) texts.emplace_back(value ? value : "");
  const Handle space(H5Aget_space(attribute.get()));
  if (!values.empty()) H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, values.data());
  return texts;
}

std::vector<std::int64_t> Reader::integers_attribute(const std::string& name) const {
  const auto attribute = open_attribute(name);
  std::vector<std::int64_t> values(static_cast<std::size_t>(attribute_size(attribute.get())));
  agree(values.empty() || H5Aread(attribute.get(), H5T_NATIVE_INT64, values.data()) >= 0, "reading attribute " + name);
  return values;
}

Handle Reader::open_dataset(const std::string& name) const {
  if (!exists(file_.get(), name)) throw InputError(path_ + " has no dataset /" + name);
  Handle dataset(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT));
  agree(static_cast<bool>(dataset), "opening dataset /" + name);
  return dataset;
}

std::vector<std::int64_t> Reader::shape(const std::string& name) const {
  return shape_of(open_dataset(name).get());
}

void Reader::read_rows(const std::string& name, hid_t memory_type, std::size_t row_bytes, std::int64_t columns,
                       std::int64_t first, std::int64_t count, const Place& place, const Taken& taken) const {
  const auto dataset = open_dataset(name);
  const auto shape = shape_of(dataset.get());
  const Handle stored(H5Dget_type(dataset.get()));
  const bool same_kind = H5Tget_class(stored.get()) == H5Tget_class(memory_type) &&
                         std::ssize(shape) == (columns > 0 ? 2 : 1) && (columns == 0 || shape[1] == columns);
  comm_.attempt([&] {
    if (!same_kind) throw InputError(path_ + ": dataset /" + name + " does not hold what a file of Cohort holds there");
    if (first + count > shape[0]) {
      throw InputError(path_ + ": dataset /" + name + " has " + std::to_string(shape[0]) +
                       " rows, fewer than the other " + "datasets of the file need");
    }
  });
  const Handle space(H5Dget_space(dataset.get()));
  const auto rows_per_round = std::max<std::int64_t>(1, transfer_bytes / static_cast<std::int64_t>(row_bytes));
  const auto transfer = collective_transfer();
  std::vector<char> buffer;
  bool ok = true;
  const std::int64_t rounds = transfer_rounds(comm_, count, rows_per_round);
  for (std::int64_t round = 0; round < rounds; ++round) {
    const std::int64_t done = std::min(count, round * rows_per_round);
    const std::int64_t now = std::min(rows_per_round, count - done);
    void* data = nullptr;
    comm_.attempt([&] { data = place(done, now, buffer); });
    select_rows(space.get(), first + done, now, columns);
    const auto memory = packed_space(now, columns);
    ok = H5Dread(dataset.get(), memory_type, memory.get(), space.get(), transfer.get(), data) >= 0 && ok;
    if (taken) comm_.attempt([&] { taken(done, now, buffer); });
  }
  agree(ok, "reading dataset /" + name);
}

Matrix Reader::matrix(const std::string& name, std::int64_t first, std::int64_t count) const {
  const auto size = shape(name);
  const std::int64_t columns = size.size() == 2 ? size[1] : 0;
  comm_.attempt([&] {
    if (columns == 0) throw InputError(path_ + ": dataset /" + name + " is not a matrix");
  });
  Matrix result;
  comm_.attempt([&] { result = Matrix(count, columns); });
  const auto row_bytes = static_cast<std::size_t>(columns) * sizeof(float);
  const bool padded = result.stride() != columns;
  const Place place = [&](std::int64_t done, std::int64_t now, std::vector<char>& buffer) -> void* {
    if (!padded) return result.row(done);
    buffer.resize(static_cast<std::size_t>(now) * row_bytes);
    return buffer.data();
  };
  const Taken taken = [&](std::int64_t done, std::int64_t now, const std::vector<char>& buffer) {
    for (std::int64_t i = 0; i < now; ++i) {
      std::memcpy(result.row(done + i), buffer.data() + static_cast<std::size_t>(i) * row_bytes, row_bytes);
    }
  };
  read_rows(name, H5T_NATIVE_FLOAT, row_bytes, columns, first, count, place, padded ? taken : Taken());
  return result;
}

void Reader::strings(const std::string& name, std::int64_t first, std::int64_t count,
                     const std::function<void(std::string_view)>& take) const {
  const Handle type = [&] {
    const auto dataset = open_dataset(name);
    return Handle(H5Dget_type(dataset.get()));
  }();
  const std::size_t length = H5Tget_size(type.get());
  comm_.attempt([&] {
    if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) > 0) {
      throw InputError(path_ + ": dataset /" + name + " does not hold strings of fixed length");
    }
  });
  read_rows(
      name, type.get(), length, 0, first, count,
      [&](std::int64_t, std::int64_t now, std::vector<char>& buffer) -> void* {
        buffer.resize(static_cast<std::size_t>(now) * length);
        return buffer.data();
      },
      [&](std::int64_t, std::int64_t now, const std::vector<char>& buffer) {
        for (std::int64_t i = 0; i < now; ++i) {
          const std::string_view text(buffer.data() + static_cast<std::size_t>(i) * length, length);
          take(text.substr(0, text.find_last_not_of('\0') + 1));
        }
      });
}

std::vector<char> Reader::stored(const std::string& name, std::int64_t first, std::int64_t count) const {
  const auto [type, columns] = [&] {
    const auto dataset = open_dataset(name);
    const auto size = shape_of(dataset.get());
    return std::pair(Handle(H5Dget_type(dataset.get())), size.size() == 2 ? size[1] : 0);
  }();
  const auto row_bytes = H5Tget_size(type.get()) * static_cast<std::size_t>(std::max<std::int64_t>(1, columns));
  std::vector<char> result;
  comm_.attempt([&] { result.resize(static_cast<std::size_t>(count) * row_bytes); });
  read_rows(name, type.get(), row_bytes, columns, first, count,
            [&](std::int64_t done, std::int64_t, std::vector<char>&) -> void* {
              return result.data() + static_cast<std::size_t>(done) * row_bytes;
            },
            {});
  return result;
}

std::vector<DatasetShape> Reader::datasets(const std::string& group) const {
  if (!group.empty() && !exists(file_.get(), group)) return {};
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5O_info_t* info, void* data) -> herr_t {
    if (info->type == H5O_TYPE_DATASET) static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  };
  agree(H5Ovisit_by_name2(file_.get(), group.empty() ? "/" : group.c_str(), H5_INDEX_NAME, H5_ITER_INC, visit, &names,
                          H5O_INFO_BASIC, H5P_DEFAULT) >= 0,
        "listing its datasets");
  std::vector<DatasetShape> result;
  for (const auto& name : names) {
    const auto path = group.empty() ? name : group + "/" + name;
    const auto dataset = open_dataset(path);
    const Handle type(H5Dget_type(dataset.get()));
    result.push_back({path, type_name(type.get()), shape_of(dataset.get())});
  }
  return result;
}

}  // namespace cohort::h5
