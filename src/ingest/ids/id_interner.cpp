#include "ingest/ids/id_interner.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::uint64_t string_flag = std::uint64_t{1} << 63;
constexpr int first_table_bits = 10;
// The array part has room for as many numbers as are there, times this, at most: four bytes a number, where a slot of
// the hash part has sixteen and is half empty.
constexpr std::size_t dense_room = 8;
constexpr std::size_t max_dense_bits = 35;  // 2^32 ids, times that room

}  // namespace

IdInterner::IdInterner()
    : dense_(std::size_t{1} << first_table_bits, no_id), numbers_(first_table_bits), strings_(first_table_bits) {}

template <class Slot>
void IdInterner::Table<Slot>::insert(const Slot& slot) {
  auto at = home(slot.key);
  while (slots[at].id != no_id) at = (at + 1) & mask();
  add(at, slot);
}

template <class Slot>
void IdInterner::Table<Slot>::grow() {
  HugeVector<Slot> old(2 * slots.size());
  old.swap(slots);
  --shift;
  used = 0;
  for (const auto& slot : old) {
    if (slot.id != no_id) insert(slot);
  }
}

std::uint32_t IdInterner::next_id() const {
  if (place_.size() >= no_id) {
    throw RunError("one rank reads more than 2^32 - 2 different ids; use more ranks");
  }
  return static_cast<std::uint32_t>(place_.size());
}

std::uint32_t IdInterner::insert_dense(std::uint64_t value) {
  const auto id = next_id();
  place_.push_back(value);
  dense_[value] = id;
  ++dense_used_;
  return id;
}

std::uint32_t IdInterner::insert_sparse(std::uint64_t value, std::size_t at) {
  const auto id = next_id();
  place_.push_back(value);
  numbers_.add(at, {value, id});
  if (numbers_.is_full()) make_room_for_numbers();
  return id;
}

// The array part grows to the largest power of two below which it is full enough; if it need not, the hash part grows.
void IdInterner::make_room_for_numbers() {
  std::array<std::size_t, 65> count{};  // of numbers in the hash part, by their bits
  for (const auto& slot : numbers_.slots) {
    if (slot.id != no_id) ++count[std::bit_width(slot.key)];
  }
  auto size = dense_.size();
  auto below = dense_used_;
  for (auto bits = static_cast<std::size_t>(std::bit_width(size)); bits <= max_dense_bits; ++bits) {
    below += count[bits];
    if (dense_room * below >= std::size_t{1} << bits) size = std::size_t{1} << bits;
  }
  if (size == dense_.size()) return numbers_.grow();
  dense_.resize(size, no_id);
  const auto old = std::exchange(numbers_, Table<NumberSlot>(first_table_bits));
  for (const auto& slot : old.slots) {
    if (slot.id == no_id) continue;
    if (slot.key < size) {
      dense_[slot.key] = slot.id;
      ++dense_used_;
    } else {
      numbers_.insert(slot);
      if (numbers_.is_full()) numbers_.grow();
    }
  }
}

std::string_view IdInterner::text_at(std::uint64_t offset) const {
  const auto* data = arena_.data() + offset;
  std::uint16_t length = 0;
  std::memcpy(&length, data, sizeof(length));
  return {data + sizeof(length), length};
}

// Ids are short: a call of memcmp would take longer than what it does.
bool IdInterner::is_text_at(std::uint64_t offset, std::string_view text) const {
  const auto stored = text_at(offset);
  if (stored.size() != text.size()) return false;
  const auto differ = [&](std::size_t at, auto word) {
    auto other = word;
    std::memcpy(&word, stored.data() + at, sizeof(word));
    std::memcpy(&other, text.data() + at, sizeof(other));
    return word != other;
  };
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    if (differ(at, std::uint64_t{0})) return false;
  }
  // What is left overlaps what was compared, where there is enough of it.
  if (at == text.size()) return true;
  if (text.size() >= 8) return !differ(text.size() - 8, std::uint64_t{0});
  for (; at + 4 <= text.size(); at += 4) {
    if (differ(at, std::uint32_t{0})) return false;
  }
  for (; at < text.size(); ++at) {
    if (stored[at] != text[at]) return false;
  }
  return true;
}

std::uint32_t IdInterner::intern_string(const Token& token) {
  const std::string_view text(token.text, token.length);
  auto at = strings_.home(token.value);
  for (;; at = (at + 1) & strings_.mask()) {
    const auto& slot = strings_.slots[at];
    if (slot.id == no_id) break;
    if (slot.key == token.value && is_text_at(slot.text, text)) return slot.id;
  }
  const auto id = next_id();
  const std::uint64_t offset = arena_.size();
  place_.push_back(string_flag | offset);
  const auto length = static_cast<std::uint16_t>(token.length);
  const auto* length_bytes = reinterpret_cast<const char*>(&length);
  arena_.insert(arena_.end(), length_bytes, length_bytes + sizeof(length));
  arena_.insert(arena_.end(), text.begin(), text.end());
  strings_.add(at, {offset, static_cast<std::uint32_t>(token.value), id});
  if (strings_.is_full()) strings_.grow();
  return id;
}

std::optional<std::uint32_t> IdInterner::find(std::string_view id) const {
  const auto token = make_token(id);
  const auto known = [](std::uint32_t number) { return number == no_id ? std::nullopt : std::optional(number); };
  if (!token.text && token.value < dense_.size()) return known(dense_[token.value]);
  if (!token.text) {
    auto at = numbers_.home(token.value);
    while (numbers_.slots[at].id != no_id && numbers_.slots[at].key != token.value) at = (at + 1) & numbers_.mask();
    return known(numbers_.slots[at].id);
  }
  auto at = strings_.home(token.value);
  while (strings_.slots[at].id != no_id &&
         (strings_.slots[at].key != token.value || text_at(strings_.slots[at].text) != id)) {
    at = (at + 1) & strings_.mask();
  }
  return known(strings_.slots[at].id);
}

IdTable IdInterner::take_ids() {
  dense_ = HugeVector<std::uint32_t>(std::size_t{1} << first_table_bits, no_id);
  dense_used_ = 0;
  numbers_ = Table<NumberSlot>(first_table_bits);
  strings_ = Table<StringSlot>(first_table_bits);
  IdTable ids;
  ids.begin.reserve(place_.size() + 1);
  for (const auto place : place_) {
    if (place & string_flag) {
      ids.push_back(text_at(place & ~string_flag));
    } else {
      char digits[20];
      const auto end = std::to_chars(digits, digits + sizeof(digits), place).ptr;
      ids.push_back(std::string_view(digits, static_cast<std::size_t>(end - digits)));
    }
  }
  place_ = {};
  arena_ = {};
  return ids;
}

}  // namespace cohort
