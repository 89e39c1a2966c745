#include "kernels/top_k.hpp"

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/top_k.cpp"
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "hwy/foreach_target.h"
#include "kernels/vector-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cohort {
namespace HWY_NAMESPACE {

/// The first index from `begin` on whose score is at least `bar`; `count` where there is none.
std::int64_t next_at_least(const float* score, std::int64_t begin, std::int64_t count, float bar) {
  constexpr Floats d;
  const FloatVector least = hn::Set(d, bar);
  std::int64_t i = begin;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    const auto any01 = hn::Or(hn::Ge(hn::LoadU(d, score + i), least), hn::Ge(hn::LoadU(d, score + i + lanes), least));
    const auto any23 =
        hn::Or(hn::Ge(hn::LoadU(d, score + i + 2 * lanes), least), hn::Ge(hn::LoadU(d, score + i + 3 * lanes), least));
    if (!hn::AllFalse(d, hn::Or(any01, any23))) break;
  }
  while (i < count && !(score[i] >= bar)) ++i;
  return i;
}

std::int64_t count_from(const float* score, std::int64_t count, float bar) {
  constexpr Floats d;
  const FloatVector least = hn::Set(d, bar);
  std::size_t found = 0;
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) found += hn::CountTrue(d, hn::Ge(hn::LoadU(d, score + i), least));
  for (; i < count; ++i) found += score[i] >= bar ? 1 : 0;
  return static_cast<std::int64_t>(found);
}

}  // namespace HWY_NAMESPACE
}  // namespace cohort
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cohort {

HWY_EXPORT(next_at_least);
HWY_EXPORT(count_from);

std::int64_t count_at_least(std::span<const float> scores, float bar) {
  return HWY_DYNAMIC_DISPATCH(count_from)(scores.data(), static_cast<std::int64_t>(scores.size()), bar);
}

TopK::TopK(std::int64_t k) : k_(k) {
  COHORT_CHECK(k >= 0);
  heap_.reserve(k);
}

void TopK::offer(std::span<const float> scores, std::span<const std::int64_t> items,
                 std::span<const std::int64_t> excluded) {
  COHORT_CHECK(scores.size() == items.size());
  if (k_ == 0) return;
  const auto count = static_cast<std::int64_t>(scores.size());
  const auto full = [&] { return static_cast<std::int64_t>(heap_.size()) == k_; };
  // heap_ has its worst on top. A score equal to the worst's counts only for a smaller item; items ascend, so once they
  // are past the worst's, only larger scores do.
  const auto bar_from = [&](std::int64_t i) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    if (!full()) return -infinity;
    const ScoredItem& worst = heap_.front();
    return worst.item < items[i] ? std::nextafter(worst.score, infinity) : worst.score;
  };
  auto excluded_from = excluded.begin();
  for (std::int64_t i = 0; i < count; ++i) {
    i = HWY_DYNAMIC_DISPATCH(next_at_least)(scores.data(), i, count, bar_from(i));
    if (i == count) break;
    const ScoredItem candidate{scores[i], items[i]};
    if (full() && !(candidate < heap_.front())) continue;
    excluded_from = std::lower_bound(excluded_from, excluded.end(), candidate.item);
    if (excluded_from != excluded.end() && *excluded_from == candidate.item) continue;
    if (full()) {
      replace_worst(candidate);
    } else {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end());
    }
  }
}

// One way down from the top, where std::pop_heap and std::push_heap go down and up again.
void TopK::replace_worst(const ScoredItem& candidate) {
  std::size_t at = 0;
  for (std::size_t child = 1; child < heap_.size(); child = 2 * at + 1) {
    if (child + 1 < heap_.size() && heap_[child] < heap_[child + 1]) ++child;
    if (!(candidate < heap_[child])) break;
    heap_[at] = heap_[child];
    at = child;
  }
  heap_[at] = candidate;
}

float TopK::least() const {
  if (static_cast<std::int64_t>(heap_.size()) < k_) return -std::numeric_limits<float>::infinity();
  return k_ == 0 ? std::numeric_limits<float>::infinity() : heap_.front().score;
}

std::vector<ScoredItem> TopK::sorted() const {
  std::vector<ScoredItem> best = heap_;
  std::sort(best.begin(), best.end());
  return best;
}

}  // namespace cohort
#endif
