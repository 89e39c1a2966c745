#include "ingest/files/stored_file.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string_view>

#include "core/error.hpp"
#include "ingest/files/decoded_text.hpp"
#include "ingest/files/json_array.hpp"
#include "ingest/files/other_formats.hpp"

namespace cohort {

namespace {

using namespace std::string_view_literals;

// Enough to know a format by.
constexpr std::size_t bytes_looked_at = 4096;

std::unique_ptr<ByteSource> open_bytes(const std::string& path, Packing packing) {
  if (packing == Packing::none) return std::make_unique<PlainFile>(path);
  return std::make_unique<PackedFile>(path, packing);
}

// The encoding that a byte order mark names; empty: none.
std::string marked_encoding(std::string_view head) {
  if (head.starts_with("\x00\x00\xFE\xFF"sv) || head.starts_with("\xFF\xFE\x00\x00"sv)) return "UTF-32";
  return head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv) ? "UTF-16" : "";
}

bool is_utf8(std::string encoding) {
  std::ranges::transform(encoding, encoding.begin(), [](unsigned char c) { return std::tolower(c); });
  return encoding == "utf-8" || encoding == "utf8";
}

}  // namespace

// Text may begin with the same four letters.
bool is_parquet(const std::string& path) {
  PlainFile file(path);
  const auto head = first_bytes(file, 20);
  if (!head.starts_with("PAR1")) return false;
  file.seek(std::max<std::int64_t>(4, file.size() - 4));
  if (first_bytes(file, 4) == "PAR1") return true;
  return std::ranges::any_of(head.substr(4), [](char c) { return static_cast<unsigned char>(c) < 9; });
}

Storage storage_of(const std::string& path, const std::string& encoding, bool tables) {
  PlainFile file(path);
  auto head = first_bytes(file, bytes_looked_at);
  Storage storage;
  if (tables && is_parquet(path)) {
    storage.parquet = true;
    return storage;
  }
  storage.packing = packing_of(head);
  auto name = path;
  if (storage.packing != Packing::none) {
    name += " (unpacked)";
    head = first_bytes(*open_bytes(path, storage.packing), bytes_looked_at);
  }
  if (encoding == "auto") {
    storage.encoding = marked_encoding(head);
  } else if (!is_utf8(encoding)) {
    storage.encoding = encoding;
  }
  if (!storage.encoding.empty()) head = first_bytes(*open_text(path, storage), bytes_looked_at);
  storage.array = tables && is_json_array(head);
  if (!storage.array) refuse_other_formats(head, name, tables);
  if (const auto named = packing_named(path);
      storage.packing == Packing::none && named != Packing::none && !head.empty()) {
    throw InputError(path + ": is named " + std::string(path, without_packing(path).size()) + " but holds no " +
                     std::string(packing_name(named)) + " data; rename or compress it");
  }
  return storage;
}

std::unique_ptr<ByteSource> open_text(const std::string& path, const Storage& storage) {
  auto text = open_bytes(path, storage.packing);
  if (!storage.encoding.empty()) text = std::make_unique<DecodedText>(std::move(text), storage.encoding, path);
  if (storage.array) text = std::make_unique<JsonArrayText>(std::move(text), path);
  if (!storage.dialect.as_usual()) text = std::make_unique<RewrittenText>(std::move(text), storage.dialect);
  return text;
}

std::int64_t line_in_file(const std::string& path, const Storage& storage, std::int64_t line) {
  if (!storage.dialect.letters) return line;
  auto as_written = storage;
  as_written.dialect = {};
  return RewrittenText(open_text(path, as_written), storage.dialect).source_line(line);
}

std::string in_words(const Storage& storage) {
  std::string text;
  if (storage.packing != Packing::none) text.append(packing_name(storage.packing)).append(", ");
  if (!storage.encoding.empty()) text.append(storage.encoding).append(", ");
  return text;
}

}  // namespace cohort
