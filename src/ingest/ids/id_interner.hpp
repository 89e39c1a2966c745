// Gives every different id that this rank reads a local number, fast: canonical decimal numbers ("0", "42", not "007")
// of up to 18 digits are looked up by value and never touched as text, all others by hash in an arena of bytes. Small
// numbers that are dense, as most data sets have, are plain indices: an array part beside the hash part, as in Lua's
// tables (Ierusalimschy, de Figueiredo, Celes, "The Implementation of Lua 5.0", 2005, section 4). Which table an id is
// in shows nowhere outside: ids are strings.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "data/dataset.hpp"
#include "data/huge_vector.hpp"

namespace cohort {

/// An id as the parser found it.
struct Token {
  std::uint64_t value = 0;     ///< its value if it is numeric, else its hash, of 32 bits
  const char* text = nullptr;  ///< null: numeric
  std::uint32_t length = 0;
};

/// Digits of a numeric token at most: 10^18 - 1 fits an int64.
constexpr std::int64_t numeric_token_digits = 18;
/// Bytes of an id at most; segments.h5 stores ids at fixed length.
constexpr std::size_t max_id_bytes = 1024;

/// Texts that differ hash alike in one of 2^32 cases. Sixteen bytes at a time, by products of 128 bits, as wyhash has
/// it (Wang Yi, 2019). Local.
inline std::uint32_t hash_of(std::string_view text) {
  constexpr std::uint64_t first_key = 0xA0761D6478BD642Fu;
  constexpr std::uint64_t second_key = 0xE7037ED1A0B428DBu;
  __extension__ using Wide = unsigned __int128;
  const auto mixed = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const auto load = [](const char* at, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, bytes);
    return word;
  };
  const auto* at = text.data();
  auto left = text.size();
  auto hash = text.size() * second_key;
  for (; left > 16; left -= 16, at += 16) hash = mixed(load(at, 8) ^ first_key, load(at + 8, 8) ^ hash);
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    a = load(at, 8);
    b = load(at + left - 8, 8);
  } else if (left >= 4) {
    a = load(at, 4);
    b = load(at + left - 4, 4);
  } else if (left > 0) {
    a = load(at, 1) << 16 | load(at + left / 2, 1) << 8 | load(at + left - 1, 1);
  }
  return static_cast<std::uint32_t>(mixed(mixed(a ^ first_key, b ^ hash), second_key) >> 32);
}

/// The token of a text of 1 to max_id_bytes bytes, which must outlive it.
inline Token make_token(std::string_view text) {
  const bool digit = text[0] >= '0' && text[0] <= '9';
  if (digit && (text.size() == 1 || text[0] != '0') && text.size() <= numeric_token_digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return {value, nullptr, 0};
  }
  return {hash_of(text), text.data(), static_cast<std::uint32_t>(text.size())};
}

class IdInterner {
 public:
  IdInterner();

  /// Starts fetching the cache line of the table that intern(token) will look at. (Inlined by force: GCC 12 drops calls
  /// of functions that do nothing but prefetch.)
  [[gnu::always_inline]] void prefetch(const Token& token) const {
    if (token.text) {
      __builtin_prefetch(&strings_.slots[strings_.home(token.value)]);
    } else if (token.value < dense_.size()) {
      __builtin_prefetch(&dense_[token.value]);
    } else {
      __builtin_prefetch(&numbers_.slots[numbers_.home(token.value)]);
    }
  }

  /// Once that is there: starts fetching the text that intern(token) will compare with. (A third of the texts of a
  /// table half full are not where their hash says.)
  [[gnu::always_inline]] void prefetch_text(const Token& token) const {
    if (!token.text) return;
    for (auto at = strings_.home(token.value);; at = (at + 1) & strings_.mask()) {
      const auto& slot = strings_.slots[at];
      if (slot.id == no_id) return;
      if (slot.key != token.value) continue;
      __builtin_prefetch(arena_.data() + slot.text);
      return;
    }
  }

  /// The local number of the id, given on first sight: 0, 1, 2, ... Throws RunError beyond 2^32 - 2 ids.
  std::uint32_t intern(const Token& token) {
    if (token.text) return intern_string(token);
    if (token.value < dense_.size()) {
      const auto id = dense_[token.value];
      return id != no_id ? id : insert_dense(token.value);
    }
    for (auto at = numbers_.home(token.value);; at = (at + 1) & numbers_.mask()) {
      const auto& slot = numbers_.slots[at];
      if (slot.id == no_id) [[unlikely]]
        return insert_sparse(token.value, at);
      if (slot.key == token.value) return slot.id;
    }
  }

  /// The local number of the id, if it has one.
  std::optional<std::uint32_t> find(std::string_view id) const;

  std::int64_t size() const { return static_cast<std::int64_t>(place_.size()); }

  /// All ids as text, by local number; the interner is empty afterwards.
  IdTable take_ids();

 private:
  static constexpr std::uint32_t no_id = UINT32_MAX;

  struct NumberSlot {
    std::uint64_t key = 0;  // the value
    std::uint32_t id = no_id;
  };
  struct StringSlot {
    std::uint64_t text = 0;  // offset in arena_
    std::uint32_t key = 0;   // the hash
    std::uint32_t id = no_id;
  };

  // Open addressing, linear probing, at most half full.
  template <class Slot>
  struct Table {
    HugeVector<Slot> slots;
    std::size_t used = 0;
    int shift = 0;  // 64 - log2(slots)

    explicit Table(int bits) : slots(std::size_t{1} << bits), shift(64 - bits) {}
    std::size_t mask() const { return slots.size() - 1; }
    // Fibonacci hashing spreads runs of consecutive numbers.
    std::size_t home(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> shift; }
    void add(std::size_t at, const Slot& slot) {
      slots[at] = slot;
      ++used;
    }
    bool is_full() const { return 2 * used > slots.size(); }
    void grow();
    void insert(const Slot& slot);  // which is not there yet
  };

  std::uint32_t next_id() const;
  std::uint32_t insert_dense(std::uint64_t value);
  std::uint32_t insert_sparse(std::uint64_t value, std::size_t at);
  void make_room_for_numbers();
  std::uint32_t intern_string(const Token& token);
  std::string_view text_at(std::uint64_t offset) const;
  bool is_text_at(std::uint64_t offset, std::string_view text) const;

  HugeVector<std::uint32_t> dense_;  // by value: the id, or no_id
  std::size_t dense_used_ = 0;
  Table<NumberSlot> numbers_;  // those beyond dense_
  Table<StringSlot> strings_;
  HugeVector<std::uint64_t> place_;  // by id: the value, or string_flag | offset in arena_
  HugeVector<char> arena_;           // strings: two bytes of length, then the text
};

}  // namespace cohort
