// A std::vector whose large storage asks for huge pages: tables that are read at random miss the TLB far less, and long
// lists are filled with far fewer page faults.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace cohort {

template <class T>
struct HugePageAllocator {
  using value_type = T;
  static constexpr std::size_t huge_page = std::size_t{1} << 21;

  HugePageAllocator() = default;
  template <class U>
  explicit(false) HugePageAllocator(const HugePageAllocator<U>& /*other*/) {}

  T* allocate(std::size_t count) {
    const auto bytes = count * sizeof(T);
    if (bytes < huge_page) return static_cast<T*>(::operator new(bytes));
    const auto rounded = (bytes + huge_page - 1) / huge_page * huge_page;
    void* storage = std::aligned_alloc(huge_page, rounded);
    if (!storage) throw std::bad_alloc();
    // Advice only: where the system has no huge pages, small ones serve. The end that fills no huge page gets none: a
    // list that is a little longer than another rank's would hold up to 2 MiB more.
    ::madvise(storage, bytes / huge_page * huge_page, MADV_HUGEPAGE);
    return static_cast<T*>(storage);
  }
  void deallocate(T* storage, std::size_t count) {
    if (count * sizeof(T) < huge_page) {
      ::operator delete(storage);
    } else {
      std::free(storage);
    }
  }
  friend bool operator==(const HugePageAllocator&, const HugePageAllocator&) { return true; }
};

template <class T>
using HugeVector = std::vector<T, HugePageAllocator<T>>;

}  // namespace cohort
