#include <algorithm>
#include <cstring>

#include "comm/same_files.hpp"
#include "comm/share.hpp"
#include "core/error.hpp"
#include "store/block_checks.hpp"
#include "store/h5.hpp"
#include "store/schema.hpp"
#include "store/seal.hpp"
#include "store/structure.hpp"

namespace cohort::h5 {

namespace {

std::string type_name(const DatasetPlace& place) {
  switch (place.element) {
    case Element::int32:
      return "int32";
    case Element::int64:
      return "int64";
    case Element::float32:
      return "float32";
    case Element::float64:
      return "float64";
    case Element::text:
      break;
  }
  return "string";
}

InputError other_kind(const std::string& path, const std::string& name) {
  return InputError{path + ": attribute " + name + " does not hold what a file of Cohort holds there"};
}

}  // namespace

Reader::Reader(const Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {
  Catalogue catalogue;
  std::uint64_t mark = 0;
  comm_.attempt([&] {
    try {
      data_.open_to_read(path_);
    } catch (const InputError& error) {
      throw InputError(error.what() + on_rank(comm_));
    }
    if (!comm_.is_root()) return;
    const auto start = file_start(data_);
    if (start == FileStart::other) throw InputError(path_ + " is not an HDF5 file");
    const bool sealed = start == FileStart::sealed;
    FileBytes structure;
    if (sealed) mark = check_seal(data_, path_, structure);
    catalogue = read_catalogue(sealed ? structure.own_path() : path_, path_, sealed, data_.size());
    if (start == FileStart::plain_hdf5 && catalogue.attributes.contains(schema::schema_version) &&
        catalogue.attributes.at(schema::schema_version).integers == std::vector<std::int64_t>{schema::version}) {
      throw InputError(path_ + " is damaged: the block before its HDF5 part is missing; put back a copy, or make it " +
                       "again");
    }
  });
  comm_.broadcast(std::span<std::uint64_t>(&mark, 1));
  comm_.attempt([&] {
    if (mark != 0 && seal_mark(data_) != mark) {
      throw InputError("there is another " + path_ + on_rank(comm_) +
                       " than on rank 0; all ranks need the same file, on a file system that all nodes see");
    }
  });
  share_catalogue(comm_, catalogue);
  catalogue_ = std::make_shared<const Catalogue>(std::move(catalogue));
}

InputError Reader::wrong(const std::string& name, const std::string& what) const {
  return InputError{path_ + ": dataset /" + name + " " + what + "; put back a copy, or make the file again"};
}

bool Reader::has(const std::string& name) const {
  return catalogue_->datasets.contains(name);
}

bool Reader::has_group_of(const std::string& name) const {
  if (has(name)) return true;
  const auto others = datasets(name.substr(0, name.rfind('/')));
  if (!others.empty()) throw wrong(name, "is missing, although /" + others.front().name + " is there");
  return false;
}

bool Reader::has_attribute(const std::string& name) const {
  return catalogue_->attributes.contains(name);
}

const AttributeValue& Reader::attribute(const std::string& name) const {
  const auto found = catalogue_->attributes.find(name);
  if (found == catalogue_->attributes.end()) throw InputError(path_ + " has no attribute " + name);
  return found->second;
}

std::string Reader::text_attribute(const std::string& name) const {
  const auto& texts = attribute(name).texts;
  if (texts.size() != 1) throw other_kind(path_, name);
  return texts[0];
}

std::int64_t Reader::integer_attribute(const std::string& name, std::int64_t lowest) const {
  const auto& integers = attribute(name).integers;
  if (integers.size() != 1) throw other_kind(path_, name);
  if (integers[0] < lowest) throw InputError(path_ + ": attribute " + name + " is " + std::to_string(integers[0]));
  return integers[0];
}

double Reader::real_attribute(const std::string& name) const {
  const auto& reals = attribute(name).reals;
  if (reals.size() != 1) throw other_kind(path_, name);
  return reals[0];
}

std::vector<std::string> Reader::texts_attribute(const std::string& name) const {
  return attribute(name).texts;
}

std::vector<std::int64_t> Reader::integers_attribute(const std::string& name) const {
  return attribute(name).integers;
}

const DatasetPlace& Reader::place(const std::string& name) const {
  const auto found = catalogue_->datasets.find(name);
  if (found == catalogue_->datasets.end()) throw InputError(path_ + " has no dataset /" + name);
  return found->second;
}

const DatasetPlace& Reader::checked_place(const std::string& name, Element element, std::int64_t columns) const {
  const auto& found = place(name);
  const bool same_columns =
      columns > 0 ? found.shape.size() == 2 && found.shape[1] == columns : found.shape.size() == 1;
  if (found.element != element || !same_columns) throw wrong(name, "does not hold what a file of Cohort holds there");
  return found;
}

std::vector<std::int64_t> Reader::shape(const std::string& name) const {
  return place(name).shape;
}

void Reader::expect_rows(const std::string& name, std::int64_t rows) const {
  if (const auto found = place(name).shape[0]; found != rows) {
    throw wrong(name, "has " + std::to_string(found) + " rows, but the other datasets of the file go with " +
                          std::to_string(rows));
  }
}

void Reader::check_range(const std::string& name, std::int64_t first, std::int64_t count) const {
  const auto rows = place(name).shape[0];
  comm_.attempt([&] {
    if (first < 0 || count < 0 || count > rows - first) {
      throw wrong(name, "has " + std::to_string(rows) + " rows, fewer than the other datasets of the file need");
    }
  });
}

void Reader::read_bytes(const std::string& name, const DatasetPlace& place, std::int64_t begin, std::int64_t end,
                        const std::function<void(std::string_view)>& take) const {
  if (begin >= end) return;
  const auto total = place.bytes();
  const auto first = begin / block_bytes;
  const auto blocks = blocks_of(end) - first;
  std::vector<std::uint32_t> checks(blocks);
  data_.read(place.checks_offset + first * static_cast<std::int64_t>(sizeof(checks[0])),
             blocks * static_cast<std::int64_t>(sizeof(checks[0])), reinterpret_cast<char*>(checks.data()));
  std::vector<char> buffer(std::min(block_bytes, total));
  for (std::int64_t i = 0; i < blocks; ++i) {
    const auto from = (first + i) * block_bytes;
    const auto size = std::min(block_bytes, total - from);
    data_.read(place.offset + from, size, buffer.data());
    if (crc_of({buffer.data(), static_cast<std::size_t>(size)}) != checks[i]) {
      throw wrong(name, "is damaged (bytes " + std::to_string(from) + " to " + std::to_string(from + size - 1) +
                            " of its data are not those that were written)");
    }
    const auto low = std::max(begin, from);
    const auto high = std::min(end, from + size);
    take({buffer.data() + (low - from), static_cast<std::size_t>(high - low)});
  }
}

void Reader::read_rows(const std::string& name, const DatasetPlace& place, std::int64_t first, std::int64_t count,
                       char* into) const {
  read_bytes(name, place, first * place.row_bytes(), (first + count) * place.row_bytes(), [&](std::string_view bytes) {
    std::memcpy(into, bytes.data(), bytes.size());
    into += bytes.size();
  });
}

Matrix Reader::matrix(const std::string& name, std::int64_t first, std::int64_t count) const {
  const auto size = shape(name);
  const std::int64_t columns = size.size() == 2 ? size[1] : 0;
  if (columns == 0) throw wrong(name, "is not a matrix");
  const auto& place = checked_place(name, Element::float32, columns);
  check_range(name, first, count);
  Matrix result;
  comm_.attempt([&] {
    result = Matrix(count, columns);
    const auto row_bytes = place.row_bytes();
    std::int64_t at = 0;  // of the rows without padding
    read_bytes(name, place, first * row_bytes, (first + count) * row_bytes, [&](std::string_view bytes) {
      while (!bytes.empty()) {
        const auto inside = at % row_bytes;
        const auto now = bytes.substr(0, static_cast<std::size_t>(row_bytes - inside));
        std::memcpy(reinterpret_cast<char*>(result.row(at / row_bytes)) + inside, now.data(), now.size());
        at += std::ssize(now);
        bytes.remove_prefix(now.size());
      }
    });
  });
  return result;
}

Matrix Reader::whole_matrix(const std::string& name) const {
  const auto size = shape(name);
  auto result = matrix(name, 0, comm_.is_root() ? size[0] : 0);
  comm_.attempt([&] {
    if (!comm_.is_root()) result = Matrix(size[0], size[1]);
  });
  comm_.broadcast(std::span<float>(result.row(0), static_cast<std::size_t>(size[0] * result.stride())));
  return result;
}

void Reader::strings(const std::string& name, std::int64_t first, std::int64_t count,
                     const std::function<void(std::string_view)>& take) const {
  const auto& place = checked_place(name, Element::text, 0);
  check_range(name, first, count);
  const auto length = static_cast<std::size_t>(place.element_bytes);
  comm_.attempt([&] {
    std::string rest;
    const auto take_row = [&](std::string_view text) { take(text.substr(0, text.find_last_not_of('\0') + 1)); };
    read_bytes(name, place, first * place.row_bytes(), (first + count) * place.row_bytes(),
               [&](std::string_view bytes) {
                 if (!rest.empty()) {
                   const auto missing = std::min(length - rest.size(), bytes.size());
                   rest.append(bytes.substr(0, missing));
                   bytes.remove_prefix(missing);
                   if (rest.size() < length) return;
                   take_row(rest);
                 }
                 for (; bytes.size() >= length; bytes.remove_prefix(length)) take_row(bytes.substr(0, length));
                 rest = bytes;
               });
  });
}

std::vector<std::string> Reader::all_strings(const std::string& name) const {
  const auto rows = shape(name)[0];
  std::vector<std::string> texts;
  strings(name, 0, comm_.is_root() ? rows : 0, [&](std::string_view text) { texts.emplace_back(text); });
  share(comm_, texts);
  return texts;
}

std::vector<char> Reader::stored(const std::string& name, std::int64_t first, std::int64_t count) const {
  const auto& found = place(name);
  check_range(name, first, count);
  std::vector<char> result;
  comm_.attempt([&] {
    result.resize(count * found.row_bytes());
    read_rows(name, found, first, count, result.data());
  });
  return result;
}

std::vector<DatasetShape> Reader::datasets(const std::string& group) const {
  std::vector<DatasetShape> result;
  for (const auto& [name, found] : catalogue_->datasets) {
    if (group.empty() || name.starts_with(group + "/")) result.push_back({name, type_name(found), found.shape});
  }
  return result;
}

}  // namespace cohort::h5
