#include "ingest/files/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "core/error.hpp"
#include "ingest/files/byte_source.hpp"

namespace cohort {

namespace {

using Digest = std::array<unsigned char, 32>;

struct Described {
  std::int64_t bytes;
  Digest digest;
};

Described digest_of_file(const std::string& path) {
  PlainFile file(path);
  Described result{file.size(), {}};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  bool ok = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<char> buffer(std::size_t{1} << 20);
  while (ok) {
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

std::vector<InputFile> describe_files(const Communicator& comm, const std::vector<std::string>& paths) {
  std::vector<Described> mine;
  comm.attempt([&] {
    for (std::size_t f = static_cast<std::size_t>(comm.rank()); f < paths.size();
         f += static_cast<std::size_t>(comm.size())) {
      mine.push_back(digest_of_file(paths[f]));
    }
  });
  const auto all = comm.all_gather(std::span<const Described>(mine));
  std::vector<InputFile> result;
  for (std::size_t f = 0; f < paths.size(); ++f) {
    const auto ranks = static_cast<std::size_t>(comm.size());
    const auto& described = all.from(static_cast<int>(f % ranks))[f / ranks];
    result.push_back({comm.broadcast(paths[f]), described.bytes, hexadecimal(described.digest)});
  }
  return result;
}

}  // namespace cohort
