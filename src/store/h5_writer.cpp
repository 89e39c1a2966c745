#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "store/block_checks.hpp"
#include "store/directory_lock.hpp"
#include "store/h5.hpp"
#include "store/structure.hpp"

namespace cohort::h5 {

namespace {

std::string temporary_name(const Communicator& comm, const std::string& path) {
  return comm.broadcast(path + ".tmp." + job_name());
}

}  // namespace

Writer::Writer(const Communicator& comm, std::string path)
    : comm_(comm), path_(std::move(path)), temporary_(temporary_name(comm, path_)) {
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    ::unlink(temporary_.c_str());  // of a process that died under the same name
    const int descriptor = ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor < 0) throw InputError("cannot write " + path_ + ": " + std::strerror(errno));
    ::close(descriptor);
    try {
      structure_ = std::make_unique<StructureWriter>();
      structure_->create(temporary_, path_);
    } catch (...) {
      ::unlink(temporary_.c_str());
      throw;
    }
  });
  comm_.attempt([&] { data_.open_to_write(temporary_, path_); });
}

Writer::~Writer() {
  if (!committed_ && comm_.is_root()) ::unlink(temporary_.c_str());
}

void Writer::write_attribute(const std::string& name, const AttributeValue& value) {
  comm_.attempt([&] {
    if (comm_.is_root()) structure_->attribute(name, value);
  });
}

void Writer::attribute(const std::string& name, std::string_view text) {
  write_attribute(name, {{std::string(text)}, {}, {}});
}

void Writer::attribute(const std::string& name, std::int64_t number) {
  write_attribute(name, {{}, {number}, {}});
}

void Writer::attribute(const std::string& name, const std::vector<std::string>& texts) {
  write_attribute(name, {texts, {}, {}});
}

void Writer::attribute(const std::string& name, const std::vector<std::int64_t>& numbers) {
  write_attribute(name, {{}, numbers, {}});
}

void Writer::real_attribute(const std::string& name, double number) {
  write_attribute(name, {{}, {}, {number}});
}

void Writer::write_rows(const std::string& name, Element element, std::int64_t element_bytes, std::int64_t columns,
                        std::int64_t count, const Pack& pack) {
  const std::int64_t total = comm_.sum(count);
  const std::int64_t row_bytes = element_bytes * std::max<std::int64_t>(1, columns);
  const std::int64_t begin = comm_.exclusive_sum(count) * row_bytes;
  std::int64_t offset = 0;
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    auto shape = std::vector<std::int64_t>{total};
    if (columns > 0) shape.push_back(columns);
    offset = structure_->dataset(name, element, element_bytes, shape);
    // Room for what the structure may still grow by, too.
    constexpr std::int64_t structure_bytes = std::int64_t{1} << 18;
    if (total > 0) data_.reserve(offset + total * row_bytes + structure_bytes);
  });
  if (total == 0) return;
  comm_.broadcast(std::span<std::int64_t>(&offset, 1));

  BlockPieces pieces(begin);
  comm_.attempt([&] {
    const auto rows_at_once = std::max<std::int64_t>(1, block_bytes / row_bytes);
    std::vector<char> buffer;
    for (std::int64_t first = 0; first < count; first += rows_at_once) {
      const auto now = std::min(rows_at_once, count - first);
      const auto* data = pack(first, now, buffer);
      pieces.add({data, static_cast<std::size_t>(now * row_bytes)});
      data_.write(offset + begin + first * row_bytes, now * row_bytes, data);
    }
  });
  const auto found = comm_.gather(std::span<const BlockPiece>(pieces.pieces())).data;
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    const auto crcs = joined(found, total * row_bytes);
    data_.write(structure_->checks(name, std::ssize(crcs)), std::ssize(crcs) * std::int64_t{sizeof(crcs[0])},
                reinterpret_cast<const char*>(crcs.data()));
  });
}

void Writer::write_numbers(const std::string& name, Element element, std::size_t bytes, std::int64_t columns,
                           const void* values, std::int64_t count) {
  const auto element_bytes = static_cast<std::int64_t>(bytes);
  const auto row_bytes = element_bytes * std::max<std::int64_t>(1, columns);
  write_rows(name, element, element_bytes, columns, count, [&](std::int64_t first, std::int64_t, std::vector<char>&) {
    return static_cast<const char*>(values) + first * row_bytes;
  });
}

void Writer::rows(const std::string& name, ConstMatrixView mine) {
  const auto row_bytes = static_cast<std::size_t>(mine.columns) * sizeof(float);
  write_rows(name, Element::float32, sizeof(float), mine.columns, mine.rows,
             [&](std::int64_t first, std::int64_t count, std::vector<char>& buffer) -> const char* {
               if (mine.stride == mine.columns) return reinterpret_cast<const char*>(mine.row(first));
               buffer.resize(count * row_bytes);
               for (std::int64_t i = 0; i < count; ++i) {
                 std::memcpy(buffer.data() + static_cast<std::size_t>(i) * row_bytes, mine.row(first + i), row_bytes);
               }
               return buffer.data();
             });
}

void Writer::strings(const std::string& name, std::int64_t count,
                     const std::function<std::string_view(std::int64_t)>& at) {
  std::size_t longest = 1;
  for (std::int64_t i = 0; i < count; ++i) longest = std::max(longest, at(i).size());
  const auto length = comm_.max(longest);
  write_rows(name, Element::text, static_cast<std::int64_t>(length), 0, count,
             [&](std::int64_t first, std::int64_t now, std::vector<char>& buffer) -> const char* {
               buffer.assign(now * length, '\0');
               for (std::int64_t i = 0; i < now; ++i) {
                 const auto text = at(first + i);
                 std::copy(text.begin(), text.end(), buffer.begin() + i * static_cast<std::ptrdiff_t>(length));
               }
               return buffer.data();
             });
}

void Writer::commit(const std::string& previous) {
  // Every rank's data are on disk before the file gets its name.
  comm_.attempt([&] {
    if (!comm_.is_root()) data_.finish();
  });
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    write_seal(data_, structure_->finish());
    data_.finish();
    if (!previous.empty()) keep_as(path_, previous, temporary_ + ".kept");
    rename_durably(temporary_, path_);
  });
  committed_ = true;
}

}  // namespace cohort::h5
