// NumPy's array files (.npy, format versions 1 to 3, numpy.lib.format): what the header says, and bytes as numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/files/byte_source.hpp"

namespace cohort {

struct NpyHeader {
  std::string descr;  ///< as "<f4"
  std::vector<std::int64_t> shape;
  bool columns_first = false;  ///< Fortran's order
  std::int64_t bytes = 0;      ///< of the header, before the numbers

  std::int64_t item_bytes() const;  ///< of one entry
  std::int64_t entries() const;
};

/// What the first bytes of every .npy are.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads the header, and no byte more. `name` goes into messages. Throws InputError: none of NumPy, damaged, truncated.
/// Local.
NpyHeader read_npy_header(ByteSource& source, const std::string& name);

/// Throws InputError where the entries are no numbers: objects, texts, dates, records, complex ones. Local.
void require_numbers(const NpyHeader& header, const std::string& name);

/// `count` entries of the header's type as numbers; integers beyond 2^53 are rounded. Local.
void numbers_from_npy(const NpyHeader& header, const char* bytes, std::size_t count, double* numbers);

/// Reads `size` bytes. Throws InputError where the source ends before. Local.
void read_exactly(ByteSource& source, char* data, std::size_t size, const std::string& name);

}  // namespace cohort
