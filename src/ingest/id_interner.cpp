#include "ingest/id_interner.hpp"

#include <charconv>
#include <cstring>
#include <functional>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::uint64_t string_flag = std::uint64_t{1} << 63;
constexpr int first_table_bits = 10;

}  // namespace

Token make_token(std::string_view text) {
  const bool canonical = (text.size() == 1 || text[0] != '0') && std::ssize(text) <= numeric_token_digits;
  if (canonical) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return {value, nullptr, 0};
  }
  return {std::hash<std::string_view>{}(text), text.data(), static_cast<std::uint32_t>(text.size())};
}

IdInterner::IdInterner() : numbers_(first_table_bits), strings_(first_table_bits) {}

template <class Slot>
void IdInterner::Table<Slot>::grow() {
  HugeVector<Slot> old(2 * slots.size());
  old.swap(slots);
  --shift;
  for (const auto& slot : old) {
    if (slot.id == no_id) continue;
    auto place = home(slot.key);
    while (slots[place].id != no_id) place = (place + 1) & mask();
    slots[place] = slot;
  }
}

std::uint32_t IdInterner::next_id() const {
  if (place_.size() >= no_id) {
    throw RunError("one rank reads more than 2^32 - 2 different ids; use more ranks");
  }
  return static_cast<std::uint32_t>(place_.size());
}

std::uint32_t IdInterner::insert_number(const Token& token, std::size_t at) {
  const auto id = next_id();
  place_.push_back(token.value);
  numbers_.add(at, {token.value, id});
  return id;
}

std::string_view IdInterner::text_at(std::uint64_t offset) const {
  const auto* data = arena_.data() + offset;
  std::uint16_t length = 0;
  std::memcpy(&length, data, sizeof(length));
  return {data + sizeof(length), length};
}

std::uint32_t IdInterner::intern_string(const Token& token) {
  const std::string_view text(token.text, token.length);
  auto at = strings_.home(token.value);
  for (;; at = (at + 1) & strings_.mask()) {
    const auto& slot = strings_.slots[at];
    if (slot.id == no_id) break;
    if (slot.key == token.value && text_at(slot.text) == text) return slot.id;
  }
  const auto id = next_id();
  const std::uint64_t offset = arena_.size();
  place_.push_back(string_flag | offset);
  const auto length = static_cast<std::uint16_t>(token.length);
  const auto* length_bytes = reinterpret_cast<const char*>(&length);
  arena_.insert(arena_.end(), length_bytes, length_bytes + sizeof(length));
  arena_.insert(arena_.end(), text.begin(), text.end());
  strings_.add(at, {token.value, offset, id});
  return id;
}

IdTable IdInterner::take_ids() {
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
