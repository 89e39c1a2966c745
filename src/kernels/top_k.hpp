// The k best of a stream of scored items for one row, exact, ties to the smaller item.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cohort {

struct ScoredItem {
  float score = 0;
  std::int64_t item = 0;

  /// Better: larger score, then smaller item.
  friend bool operator<(const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : a.item < b.item;
  }
};

/// How many are at least `bar`; of what is not a number, none.
std::int64_t count_at_least(std::span<const float> scores, float bar);

/// Holds the k best seen so far. The result does not depend on the order of offers. A score that is not a number is
/// passed over.
class TopK {
 public:
  explicit TopK(std::int64_t k);
  /// Offers scores[j] for items[j]; items in `excluded` (ascending) are passed over. items ascend.
  void offer(std::span<const float> scores, std::span<const std::int64_t> items,
             std::span<const std::int64_t> excluded);
  /// The score that a new item must reach to count: the worst of k, or minus infinity while there are fewer.
  float least() const;
  /// Best first; fewer than k where fewer were offered.
  std::vector<ScoredItem> sorted() const;

 private:
  void replace_worst(const ScoredItem& candidate);

  std::int64_t k_;
  std::vector<ScoredItem> heap_;
};

}  // namespace cohort
