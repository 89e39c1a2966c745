#include "ingest/files/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <exception>
#include <stop_token>
#include <thread>

#include "core/error.hpp"
#include "ingest/files/byte_source.hpp"

namespace cohort {

namespace {

using Digest = std::array<unsigned char, 32>;

struct Described {
  std::int64_t bytes;
  Digest digest;
};

Described digest_of_file(const std::string& path, const std::stop_token& stop = {}) {
  PlainFile file(path);
  Described result{file.size(), {}};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  bool ok = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<char> buffer(std::size_t{1} << 20);
  while (ok && !stop.stop_requested()) {
    const auto got = file.read(buffer.data(), buffer.size());
    if (got == 0) break;
    ok = EVP_DigestUpdate(context.get(), buffer.data(), got) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context.get(), result.digest.data(), nullptr) == 1;
  if (!ok) throw RunError("OpenSSL could not compute SHA-256 of " + path);
  return result;
}

std::string hexadecimal(const Digest& digest) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace

std::string sha256_of_file(const std::string& path) {
  return hexadecimal(digest_of_file(path).digest);
}

struct DescribedFiles::Reading {
  std::vector<Described> mine;
  std::exception_ptr failure;
  std::jthread thread;  // the last: it writes the others
};

DescribedFiles::DescribedFiles(const Communicator& comm, const std::vector<std::string>& paths)
    : comm_(comm), reading_(std::make_unique<Reading>()) {
  std::vector<std::string> own;
  std::vector<std::int64_t> bytes;
  comm.attempt([&] {
    for (auto f = static_cast<std::size_t>(comm.rank()); f < paths.size(); f += static_cast<std::size_t>(comm.size())) {
      own.push_back(paths[f]);
      bytes.push_back(PlainFile(paths[f]).size());
    }
  });
  const auto all = comm.all_gather(std::span<const std::int64_t>(bytes));
  const auto ranks = static_cast<std::size_t>(comm.size());
  for (std::size_t f = 0; f < paths.size(); ++f) {
    files_.push_back({comm.broadcast(paths[f]), all.from(static_cast<int>(f % ranks))[f / ranks], {}});
  }
  comm.attempt([&] {
    if (own.empty()) return;
    auto& reading = *reading_;
    reading.thread = std::jthread([&reading, own = std::move(own)](const std::stop_token& stop) {
      try {
        for (const auto& path : own) reading.mine.push_back(digest_of_file(path, stop));
      } catch (...) {
        reading.failure = std::current_exception();
      }
    });
  });
}

DescribedFiles::~DescribedFiles() = default;

const std::vector<InputFile>& DescribedFiles::whole() {
  if (!reading_) return files_;
  auto& reading = *reading_;
  if (reading.thread.joinable()) reading.thread.join();
  comm_.attempt([&] {
    if (reading.failure) std::rethrow_exception(reading.failure);
  });
  const auto all = comm_.all_gather(std::span<const Described>(reading.mine));
  const auto ranks = static_cast<std::size_t>(comm_.size());
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const auto& described = all.from(static_cast<int>(f % ranks))[f / ranks];
    files_[f].bytes = described.bytes;
    files_[f].sha256 = hexadecimal(described.digest);
  }
  reading_.reset();
  return files_;
}

std::vector<InputFile> describe_files(const Communicator& comm, const std::vector<std::string>& paths) {
  return DescribedFiles(comm, paths).whole();
}

}  // namespace cohort
