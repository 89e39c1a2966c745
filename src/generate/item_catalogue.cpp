#include "generate/item_catalogue.hpp"

#include <cmath>
#include <queue>
#include <span>
#include <utility>

#include "core/ragged.hpp"
#include "core/random.hpp"
#include "generate/segment_sizes.hpp"

namespace cohort {

namespace {

// Items, most popular first, dealt to the segments in proportion to their sizes: each goes to the segment that has the
// least of its size so far. Returns the weights by place.
std::vector<double> deal_weights(const std::vector<std::int64_t>& begin) {
  using Turn = std::pair<double, std::size_t>;  // how full the segment is with half of its next item; the segment
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  const auto share = [&](std::size_t s, std::int64_t next) {
    return (static_cast<double>(next - begin[s]) + 0.5) / static_cast<double>(places_of(begin, s).size());
  };
  for (std::size_t s = 0; s + 1 < begin.size(); ++s) turns.emplace(share(s, begin[s]), s);
  std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
  std::vector<double> weight(begin.back());
  for (std::size_t rank = 0; rank < weight.size(); ++rank) {
    const auto s = turns.top().second;
    turns.pop();
    weight[next[s]++] = std::pow(static_cast<double>(rank + 1), -popularity_exponent);
    if (next[s] < begin[s + 1]) turns.emplace(share(s, next[s]), s);
  }
  return weight;
}

}  // namespace

ItemCatalogue make_catalogue(std::int64_t items, std::int64_t segments, std::uint64_t seed) {
  auto begin = segment_offsets(items, segments);
  auto weight = deal_weights(begin);
  const RandomPermutation scatter(static_cast<std::uint64_t>(items), seed, Purpose::generate_items, 0);
  std::vector<std::uint32_t> number;
  for (std::uint64_t place = 0; place < weight.size(); ++place) {
    number.push_back(static_cast<std::uint32_t>(scatter(place)));
  }
  std::vector<AliasTable> of_segment;
  for (std::size_t s = 0; s + 1 < begin.size(); ++s) {
    of_segment.emplace_back(list_of(std::span<const double>(weight), begin, s));
  }
  AliasTable everywhere(weight);
  return {std::move(begin), std::move(number), std::move(weight), std::move(everywhere), std::move(of_segment)};
}

}  // namespace cohort
