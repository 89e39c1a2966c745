// Files with their checksums, against the same transfers without: what trust costs. On the disk of the temporary
// directory, written files being synchronised, read ones coming from memory where there is room.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench_areas.hpp"
#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "store/h5.hpp"

namespace cohort::bench {

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

void need(bool good) {
  if (!good) throw std::runtime_error("the temporary directory cannot be written or read");
}

// The whole of a matrix without padding, in pieces as large as those of store/.
template <class Move>
void plain(const std::string& path, int flags, std::int64_t bytes, Move move) {
  const int file = ::open(path.c_str(), flags, 0600);
  need(file >= 0);
  for (std::int64_t at = 0; at < bytes; at += static_cast<std::int64_t>(piece_bytes)) {
    need(move(file, at, std::min(piece_bytes, static_cast<std::size_t>(bytes - at))));
  }
  if (flags & O_WRONLY) need(::fsync(file) == 0);
  ::close(file);
}

}  // namespace

void bench_store(Bench& bench) {
  namespace fs = std::filesystem;
  const std::int64_t rows = bench.options().small ? 4096 : 1'000'000;
  const auto comm = Communicator::self();
  const auto directory = fs::temp_directory_path() / ("cohort-bench-" + std::to_string(::getpid()));
  fs::create_directories(directory);
  const auto ours = (directory / "ours.h5").string();
  const auto other = (directory / "plain").string();
  Matrix matrix(rows, 64);
  for (std::int64_t i = 0; i < rows * 64; ++i) matrix.row(0)[i] = static_cast<float>(i % 8191);
  Matrix found(rows, 64);
  const auto bytes = matrix.bytes();
  std::vector<char> buffer(piece_bytes);
  const auto gigabytes = 1e-9 * static_cast<double>(bytes);
  const Case write{"write and synchronise",
                   gigabytes,
                   "B",
                   [&] {
                     return seconds_of([&] {
                       h5::Writer file(comm, ours);
                       file.rows("matrix", matrix.view());
                       file.commit();
                     });
                   },
                   {"without checksums"}};
  const Case plain_write{"without checksums",
                         gigabytes,
                         "B",
                         [&] {
                           return seconds_of([&] {
                             fs::remove(other);
                             plain(other, O_WRONLY | O_CREAT | O_TRUNC, bytes,
                                   [&](int file, std::int64_t at, std::size_t size) {
                                     const auto* from = reinterpret_cast<const char*>(matrix.row(0)) + at;
                                     return ::pwrite(file, from, size, at) == static_cast<ssize_t>(size);
                                   });
                           });
                         },
                         {}};
  const Case read{"read",
                  gigabytes,
                  "B",
                  [&] { return seconds_of([&] { found = h5::Reader(comm, ours).matrix("matrix", 0, rows); }); },
                  {"without checksums"}};
  const Case plain_read{"without checksums",
                        gigabytes,
                        "B",
                        [&] {
                          return seconds_of([&] {
                            found = Matrix(rows, 64);
                            plain(other, O_RDONLY, bytes, [&](int file, std::int64_t at, std::size_t size) {
                              const bool good = ::pread(file, buffer.data(), size, at) == static_cast<ssize_t>(size);
                              std::memcpy(reinterpret_cast<char*>(found.row(0)) + at, buffer.data(), size);
                              return good;
                            });
                          });
                        },
                        {}};
  const auto name = std::to_string(rows) + " x 64";
  bench.measure("files, write " + name, 1, {write, plain_write});
  bench.measure("files, read " + name, 1, {read, plain_read});
  fs::remove_all(directory);
}

}  // namespace cohort::bench
