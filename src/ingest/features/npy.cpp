#include "ingest/features/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

constexpr std::size_t longest_header = std::size_t{1} << 20;

[[noreturn]] void refuse_header(const std::string& name, const std::string& why) {
  throw InputError(name + ": the header of the NumPy array " + why + "; write the file again with numpy.save");
}

// What follows a key of the dictionary that a header is.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& name) {
  for (const char quote : {'\'', '"'}) {
    const auto at = header.find(quote + std::string(key) + quote);
    if (at == std::string_view::npos) continue;
    auto rest = header.substr(at + key.size() + 2);
    const auto colon = rest.find_first_not_of(" \t");
    if (colon == std::string_view::npos || rest[colon] != ':') break;
    rest.remove_prefix(colon + 1);
    const auto begin = rest.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    return rest.substr(begin);
  }
  refuse_header(name, "has no " + std::string(key));
}

std::vector<std::int64_t> shape_of(std::string_view text, const std::string& name) {
  const auto close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) refuse_header(name, "has no shape");
  text = text.substr(1, close - 1);
  std::vector<std::int64_t> shape;
  while (true) {
    const auto begin = text.find_first_not_of(" \t,");
    if (begin == std::string_view::npos) return shape;
    text.remove_prefix(begin);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) refuse_header(name, "has a shape that is none");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with('L')) text.remove_prefix(1);  // of Python 2
    shape.push_back(number);
  }
}

float half_to_float(std::uint16_t bits) {
  const auto exponent = (bits >> 10) & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  }
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

template <class T>
double number_at(const char* bytes, bool swap) {
  char ordered[sizeof(T)];
  std::memcpy(ordered, bytes, sizeof(T));
  if (swap) std::reverse(ordered, ordered + sizeof(T));
  T value;
  std::memcpy(&value, ordered, sizeof(T));
  return static_cast<double>(value);
}

double half_at(const char* bytes, bool swap) {
  return static_cast<double>(half_to_float(static_cast<std::uint16_t>(number_at<std::uint16_t>(bytes, swap))));
}

using Convert = double (*)(const char*, bool);

// None: no type of numbers that is known.
Convert conversion_of(std::string_view kind) {
  struct Known {
    std::string_view kind;
    Convert convert;
  };
  static constexpr Known known[] = {{"b1", number_at<std::uint8_t>},  {"i1", number_at<std::int8_t>},
                                    {"i2", number_at<std::int16_t>},  {"i4", number_at<std::int32_t>},
                                    {"i8", number_at<std::int64_t>},  {"u1", number_at<std::uint8_t>},
                                    {"u2", number_at<std::uint16_t>}, {"u4", number_at<std::uint32_t>},
                                    {"u8", number_at<std::uint64_t>}, {"f2", half_at},
                                    {"f4", number_at<float>},         {"f8", number_at<double>}};
  for (const auto& each : known) {
    if (each.kind == kind) return each.convert;
  }
  return nullptr;
}

}  // namespace

std::int64_t NpyHeader::item_bytes() const {
  std::int64_t size = 0;
  const auto digits = std::string_view(descr).substr(std::min<std::size_t>(2, descr.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), size);
  const bool wide = descr.size() > 1 && descr[1] == 'U';  // of characters of four bytes
  return size < 0 || size > (std::int64_t{1} << 30) ? 0 : wide ? 4 * size : size;
}

std::int64_t NpyHeader::entries() const {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return count;
}

void read_exactly(ByteSource& source, char* data, std::size_t size, const std::string& name) {
  std::size_t filled = 0;
  while (filled < size) {
    const auto got = source.read(data + filled, size - filled);
    if (got == 0) throw InputError(name + ": ends before the array that it holds does; the file is truncated");
    filled += got;
  }
}

NpyHeader read_npy_header(ByteSource& source, const std::string& name) {
  char start[12];
  read_exactly(source, start, 8, name);
  if (std::string_view(start, npy_magic.size()) != npy_magic) {
    throw InputError(name + ": is no NumPy array (.npy)");
  }
  const auto major = static_cast<unsigned char>(start[6]);
  if (major < 1 || major > 3) refuse_header(name, "is of format version " + std::to_string(major));
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  read_exactly(source, start + 8, length_bytes, name);
  std::size_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = 256 * length + static_cast<unsigned char>(start[8 + i]);
  if (length > longest_header) refuse_header(name, "is longer than 1 MiB");
  std::string text(length, '\0');
  read_exactly(source, text.data(), length, name);

  NpyHeader header;
  header.bytes = static_cast<std::int64_t>(8 + length_bytes + length);
  const auto descr = value_of(text, "descr", name);
  if (descr.front() == '\'' || descr.front() == '"') {
    header.descr = descr.substr(1, descr.find(descr.front(), 1) - 1);
  } else {
    header.descr = "|V0";  // a list: records
  }
  const auto order = value_of(text, "fortran_order", name);
  if (!order.starts_with("True") && !order.starts_with("False")) refuse_header(name, "does not say the order");
  header.columns_first = order.starts_with("True");
  header.shape = shape_of(value_of(text, "shape", name), name);
  double entries = 1;
  for (const auto size : header.shape) entries *= static_cast<double>(size);
  if (entries > 0x1p52) refuse_header(name, "has a shape beyond every file");
  return header;
}

void require_numbers(const NpyHeader& header, const std::string& name) {
  const auto& descr = header.descr;
  const bool ordered = descr.size() > 2 && std::string_view("<>|=").find(descr.front()) != std::string_view::npos;
  if (ordered && conversion_of(std::string_view(descr).substr(1)) != nullptr) return;
  const char kind = descr.size() > 1 ? descr[1] : '?';
  const std::string what = kind == 'O'                  ? "Python objects"
                           : kind == 'U' || kind == 'S' ? "texts"
                           : kind == 'c'                ? "complex numbers"
                           : kind == 'M' || kind == 'm' ? "dates or times"
                           : kind == 'V'                ? "records"
                                                        : "of another type";
  throw InputError(name + ": the array's entries are " + what + " (" + quoted(descr) +
                   "), not real numbers of at most 8 bytes; convert it, for example with .astype(\"float32\")");
}

void numbers_from_npy(const NpyHeader& header, const char* bytes, std::size_t count, double* numbers) {
  const auto convert = conversion_of(std::string_view(header.descr).substr(1));
  COHORT_CHECK(convert != nullptr);
  const auto size = static_cast<std::size_t>(header.item_bytes());
  const bool swap = header.descr.front() == '>' && std::endian::native == std::endian::little;
  for (std::size_t i = 0; i < count; ++i) numbers[i] = convert(bytes + i * size, swap);
}

}  // namespace cohort
