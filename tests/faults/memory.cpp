// The other half of the preloaded library: operator new, or aligned_alloc, fails once where a chosen stack of callers
// asks for memory.
//
//   COHORT_FAULT_STACKS  "list": at the end of the program, tell every different stack, in the order of first sight
//   COHORT_FAULT_STACK   the number of the stack that gets no memory, once
//
// A stack is a hash over the return addresses of a few callers, counted from where their file is loaded, so that it is
// the same in every run. Its last bits are those of the nearest caller's address, which loading does not change: most
// calls are known by them to be others, without a look at their stacks. Counting begins where main begins and ends
// where main ends.
#include <dlfcn.h>
#include <unwind.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "calls.h"

namespace {

constexpr int callers = 8;
constexpr std::uint64_t in_page = 4095;
constexpr std::uint64_t places = std::uint64_t{1} << 18;  // of a table that never gets nearly full

std::atomic<bool> in_main{false};
std::array<std::atomic<std::uint64_t>, places> seen;
std::array<std::atomic<std::uint64_t>, places> in_order;
std::atomic<std::uint64_t> different{0};

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6U) + (hash >> 2U);
  return hash * 0xff51afd7ed558ccdU;
}

struct Walk {
  std::uint64_t hash = 1;
  int left = callers;
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  const auto address = _Unwind_GetIP(context);
  dl_find_object found{};
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return _URC_END_OF_STACK;
  static const void* const mine = [] {
    dl_find_object self{};
    _dl_find_object(reinterpret_cast<void*>(&step), &self);
    return self.dlfo_map_start;
  }();
  if (found.dlfo_map_start == mine) return _URC_NO_REASON;
  walk.hash = mixed(walk.hash, address - reinterpret_cast<std::uintptr_t>(found.dlfo_map_start));
  return --walk.left > 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

// True at the first sight of a hash.
bool is_new(std::uint64_t hash) {
  for (std::uint64_t at = hash % places, tries = 0; tries < places; at = (at + 1) % places, ++tries) {
    std::uint64_t expected = 0;
    if (seen[at].compare_exchange_strong(expected, hash)) return true;
    if (expected == hash) return false;
  }
  return false;
}

std::uint64_t chosen_stack() {
  static const std::uint64_t stack = [] {
    const char* text = std::getenv("COHORT_FAULT_STACK");
    return text != nullptr && fault_rank_is_meant() != 0 ? std::strtoull(text, nullptr, 16) : 0;
  }();
  return stack;
}

bool listing() {
  static const bool asked = std::getenv("COHORT_FAULT_STACKS") != nullptr && fault_rank_is_meant() != 0;
  return asked;
}

// caller: the address that the allocating function returns to.
bool should_fail(const void* caller) {
  static thread_local bool inside = false;
  if (!in_main.load(std::memory_order_relaxed) || inside || (chosen_stack() == 0 && !listing())) return false;
  const auto last_bits = reinterpret_cast<std::uintptr_t>(caller) & in_page;
  if (!listing() && last_bits != (chosen_stack() & in_page)) return false;
  inside = true;
  Walk walk;
  _Unwind_Backtrace(step, &walk);
  const auto hash = (walk.hash & ~in_page) | last_bits;
  bool fails = false;
  if (listing()) {
    if (is_new(hash)) in_order[different.fetch_add(1)] = hash;
  } else if (hash == chosen_stack() && is_new(hash)) {
    fails = true;
    std::array<char, 64> line{};
    std::snprintf(line.data(), line.size(), "fault 1 new %016llx\n", static_cast<unsigned long long>(hash));
    fault_log(line.data());
  }
  inside = false;
  return fails;
}

void* checked(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* plain(std::size_t bytes, const void* caller) {
  return should_fail(caller) ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
}

void* aligned(std::size_t bytes, std::align_val_t alignment, const void* caller) {
  void* memory = nullptr;
  if (should_fail(caller) || posix_memalign(&memory, static_cast<std::size_t>(alignment), bytes > 0 ? bytes : 1) != 0) {
    return nullptr;
  }
  return memory;
}

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

int main_between(int count, char** arguments, char** environment) {
  in_main = true;
  const int code = real_main(count, arguments, environment);
  in_main = false;
  const auto stacks = different.load();
  for (std::uint64_t i = 0; i < stacks; ++i) {
    std::array<char, 64> line{};
    std::snprintf(line.data(), line.size(), "stack %016llx\n", static_cast<unsigned long long>(in_order[i].load()));
    fault_log(line.data());
  }
  return code;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return checked(plain(bytes, __builtin_return_address(0)));
}
void* operator new[](std::size_t bytes) {
  return checked(plain(bytes, __builtin_return_address(0)));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return plain(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return plain(bytes, __builtin_return_address(0));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return checked(aligned(bytes, alignment, __builtin_return_address(0)));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return checked(aligned(bytes, alignment, __builtin_return_address(0)));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  using Next = void* (*)(std::size_t, std::size_t);
  static const auto next = reinterpret_cast<Next>(dlsym(RTLD_NEXT, "aligned_alloc"));
  return should_fail(__builtin_return_address(0)) ? nullptr : next(alignment, bytes);
}

// What the C library's start code calls; the program's own main stands between.
// NOLINTNEXTLINE(bugprone-reserved-identifier): it is the C library's name.
extern "C" int __libc_start_main(Main main, int count, char** arguments, void (*initialise)(), void (*finish)(),
                                 void (*loader_finish)(), void* stack_end) {
  using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  real_main = main;
  const auto next = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "__libc_start_main"));
  return next(main_between, count, arguments, initialise, finish, loader_finish, stack_end);
}
