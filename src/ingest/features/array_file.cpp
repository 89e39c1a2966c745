#include "ingest/features/array_file.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include "core/error.hpp"
#include "core/words.hpp"
#include "ingest/features/npy.hpp"
#include "ingest/features/zip_file.hpp"
#include "ingest/files/stored_file.hpp"

namespace cohort {

namespace {

constexpr std::int64_t block_bytes = std::int64_t{1} << 20;
constexpr std::string_view hdf5_magic = "\x89HDF\r\n\x1A\n";
constexpr std::string_view zip_magic = "PK\x03\x04";

// Moves to a byte of the array's entries; ascending.
using GoTo = std::function<void(std::int64_t offset)>;

// The source stands behind the header.
ArrayEntries read_dense(const NpyHeader& header, ByteSource& source, const GoTo& go_to, const FilePart& part,
                        const std::string& name) {
  require_numbers(header, name);
  if (header.shape.size() != 2) {
    throw InputError(name + ": the array has " + counted(std::ssize(header.shape), "dimension") +
                     "; features have two, rows and columns: shape it with .reshape(rows, columns)");
  }
  ArrayEntries found;
  found.begin(header.shape[0], header.shape[1], part, name);
  found.dense = true;
  const std::int64_t first = part.of(found.rows).first;
  const std::int64_t last = part.of(found.rows).second;
  const auto size = header.item_bytes();
  const auto most = std::max<std::int64_t>(1, block_bytes / size);
  std::vector<char> bytes;
  std::vector<double> numbers;
  // Calls take(i, number) for `count` entries from that entry of the array on.
  const auto read = [&](std::int64_t entry, std::int64_t count, const auto& take) {
    go_to(entry * size);
    for (std::int64_t done = 0; done < count;) {
      const auto now = std::min(most, count - done);
      bytes.resize(now * size);
      numbers.resize(now);
      read_exactly(source, bytes.data(), bytes.size(), name);
      numbers_from_npy(header, bytes.data(), numbers.size(), numbers.data());
      for (std::int64_t i = 0; i < now; ++i) take(done + i, numbers[i]);
      done += now;
    }
  };
  if (header.columns_first) {
    for (std::int64_t c = 0; c < found.columns; ++c) {
      read(c * found.rows + first, last - first,
           [&](std::int64_t i, double value) { found.add(first + i, c, value, name); });
    }
  } else {
    read(first * found.columns, (last - first) * found.columns,
         [&](std::int64_t i, double value) { found.add(first + i / found.columns, i % found.columns, value, name); });
  }
  return found;
}

void skip(ByteSource& source, std::int64_t count, const std::string& name) {
  std::vector<char> ignored(std::min(count, block_bytes));
  while (count > 0) {
    const auto now = std::min(count, block_bytes);
    read_exactly(source, ignored.data(), static_cast<std::size_t>(now), name);
    count -= now;
  }
}

ArrayEntries read_npy(const std::string& path, const FilePart& part) {
  PlainFile file(path);
  const auto header = read_npy_header(file, path);
  require_numbers(header, path);
  const auto expected = header.bytes + header.entries() * header.item_bytes();
  if (file.size() != expected) {
    throw InputError(path + ": has " + counted(file.size(), "byte") +
                     ", but its header speaks of an array that makes " + with_commas(expected) + "; the file is " +
                     (file.size() < expected ? "truncated" : "not one array alone") + ", write it again");
  }
  return read_dense(
      header, file, [&](std::int64_t offset) { file.seek(header.bytes + offset); }, part, path);
}

// The arrays of SciPy's save_npz. Members are deflated, so that each is read from its start to its end.
class NpzArrays final : public SparseArrays {
 public:
  NpzArrays(const std::string& path, const std::vector<ZipMember>& members) : path_(path), members_(members) {}

  std::int64_t size(const std::string& name) override {
    const auto& member = member_of(name);
    const auto header = read_npy_header(*open_zip_member(path_, member), place(member));
    if (header.shape.size() != 1) throw InputError(place(member) + ": has not one dimension");
    return header.entries();
  }
  std::vector<std::int64_t> integers(const std::string& name, std::int64_t first, std::int64_t count) override {
    const auto values = read(name, first, count, true);
    std::vector<std::int64_t> result(values.size());
    std::ranges::transform(values, result.begin(), [](double value) { return static_cast<std::int64_t>(value); });
    return result;
  }
  std::vector<double> numbers(const std::string& name, std::int64_t first, std::int64_t count) override {
    return read(name, first, count, false);
  }
  /// The letters of a short text.
  std::string text(const std::string& name) {
    const auto& member = member_of(name);
    const auto source = open_zip_member(path_, member);
    const auto header = read_npy_header(*source, place(member));
    std::string bytes(static_cast<std::size_t>(std::min<std::int64_t>(64, header.entries() * header.item_bytes())),
                      '\0');
    read_exactly(*source, bytes.data(), bytes.size(), place(member));
    std::erase(bytes, '\0');
    return bytes;
  }

 private:
  std::string place(const ZipMember& member) const { return path_ + ":" + member.name; }
  const ZipMember& member_of(const std::string& name) const {
    const auto found = std::ranges::find(members_, name + ".npy", &ZipMember::name);
    if (found == members_.end()) {
      throw InputError(path_ + ": has no array " + name + "; write it with scipy.sparse.save_npz");
    }
    return *found;
  }
  std::vector<double> read(const std::string& name, std::int64_t first, std::int64_t count, bool whole) const {
    const auto& member = member_of(name);
    const auto source = open_zip_member(path_, member);
    const auto header = read_npy_header(*source, place(member));
    require_numbers(header, place(member));
    if (whole && header.descr[1] != 'i' && header.descr[1] != 'u') {
      throw InputError(place(member) + ": holds no integers");
    }
    const auto size = header.item_bytes();
    if (first + count > header.entries()) throw InputError(place(member) + ": is shorter than the others");
    skip(*source, first * size, place(member));
    std::vector<char> bytes(count * size);
    read_exactly(*source, bytes.data(), bytes.size(), place(member));
    skip(*source, (header.entries() - first - count) * size, place(member));
    std::vector<double> values(count);
    numbers_from_npy(header, bytes.data(), values.size(), values.data());
    return values;
  }

  std::string path_;
  const std::vector<ZipMember>& members_;
};

ArrayEntries read_npz(const std::string& path, const FilePart& part) {
  const auto members = zip_members(path);
  const bool sparse = std::ranges::find(members, "format.npy", &ZipMember::name) != members.end();
  if (sparse) {
    NpzArrays arrays(path, members);
    if (arrays.size("shape") != 2) throw InputError(path + ": the sparse array has not two dimensions");
    const auto shape = arrays.integers("shape", 0, 2);
    if (shape[0] < 0 || shape[1] < 0) throw InputError(path + ": the sparse array has a negative shape");
    return read_sparse(arrays, arrays.text("format"), shape[0], shape[1], part, path);
  }
  if (members.size() != 1) {
    throw InputError(path + ": holds " + counted(std::ssize(members), "array") +
                     " and no sparse matrix of SciPy; put each into a file of its own, with numpy.save");
  }
  const auto name = path + ":" + members[0].name;
  const auto source = open_zip_member(path, members[0]);
  const auto header = read_npy_header(*source, name);
  require_numbers(header, name);
  if (members[0].size != header.bytes + header.entries() * header.item_bytes()) {
    throw InputError(name + ": has another size than its header says; write the file again");
  }
  std::int64_t at = 0;
  // Where the source stands afterwards follows from what is read next: read_dense reads all between two moves.
  struct Counted final : ByteSource {
    ByteSource* source = nullptr;
    std::int64_t* at = nullptr;
    std::size_t read(char* data, std::size_t size) override {
      const auto got = source->read(data, size);
      *at += static_cast<std::int64_t>(got);
      return got;
    }
  } counting;
  counting.source = source.get();
  counting.at = &at;
  auto found = read_dense(
      header, counting, [&](std::int64_t offset) { skip(counting, offset - at, name); }, part, name);
  skip(counting, members[0].size - header.bytes - at, name);  // its checksum is looked at in the end
  return found;
}

}  // namespace

ArrayFormat array_format_of(const std::string& path) {
  PlainFile file(path);
  const auto head = first_bytes(file, 8);
  if (head.starts_with(npy_magic)) return ArrayFormat::npy;
  if (head.starts_with(zip_magic)) return ArrayFormat::npz;
  if (head.starts_with(hdf5_magic)) return ArrayFormat::hdf5;
  if (is_parquet(path)) return ArrayFormat::parquet;
  for (const std::string_view ending : {".npy", ".npz", ".h5", ".hdf5", ".h5ad"}) {
    if (path.ends_with(ending)) {
      throw InputError(path + ": is named " + std::string(ending) + " but does not begin as such a file does; it is " +
                       (head.empty() ? "empty" : "damaged or of another format"));
    }
  }
  return ArrayFormat::none;
}

ArrayEntries read_array(const std::string& path, ArrayFormat format, const std::string& dataset, const FilePart& part) {
  COHORT_CHECK(format != ArrayFormat::none && format != ArrayFormat::parquet);
  if (format == ArrayFormat::hdf5) return read_hdf5_array(path, dataset, part);
  return format == ArrayFormat::npy ? read_npy(path, part) : read_npz(path, part);
}

}  // namespace cohort
