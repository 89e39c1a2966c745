#include "graph/pass_comparison.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "kernels/counts.hpp"

namespace cohort {

namespace {

bool better(const SimilarUser& a, const SimilarUser& b) {
  return a.score > b.score || (a.score == b.score && a.user < b.user);
}

// The best of what one user is compared with.
class Best {
 public:
  /// kept: the best so far, in order, which is where the result goes.
  Best(std::vector<SimilarUser>& pool, std::vector<SimilarUser>& kept, std::size_t count)
      : pool_(pool), kept_(kept), count_(count) {
    pool_.assign(kept.begin(), kept.end());
    if (pool_.size() == count_) worst_ = pool_.back();
  }
  double least() const { return worst_.score; }  // that may enter
  void enter(const SimilarUser& candidate) {
    if (!better(candidate, worst_)) return;
    pool_.push_back(candidate);
    if (pool_.size() >= 2 * count_ + 64) cut();
  }
  void finish() {
    if (pool_.size() > count_) cut();
    std::ranges::sort(pool_, better);
    kept_.assign(pool_.begin(), pool_.end());
  }

 private:
  void cut() {
    const auto last = pool_.begin() + static_cast<std::ptrdiff_t>(count_) - 1;
    std::nth_element(pool_.begin(), last, pool_.end(), better);
    worst_ = *last;
    pool_.resize(count_);
  }

  std::vector<SimilarUser>& pool_;
  std::vector<SimilarUser>& kept_;
  std::size_t count_;
  SimilarUser worst_{0, 0, std::numeric_limits<std::uint32_t>::max()};
};

// Who has one of a user's items: what is left of the list, and its weights.
struct OpenList {
  const std::int32_t* at;
  const std::int32_t* end;
  const std::int32_t* bits;
  double weight;  // of the user's own
};

constexpr std::size_t tile_bytes = std::size_t{1} << 19;
constexpr std::size_t block =
    4096;  // of which a tile is a multiple; users: the more were looked at, the fewer of the next may still enter

}  // namespace

std::vector<double> norms_of(const Behaviour& behaviour) {
  std::vector<double> norm;
  for (std::int64_t u = 0; u < behaviour.users(); ++u) {
    double sum = 0;
    for (const auto k : places_of(behaviour.row_begin, u)) sum += behaviour.weight_of(k) * behaviour.weight_of(k);
    norm.push_back(sum);
  }
  return norm;
}

// One thread's part of a pass.
class PassComparison::Worker {
 public:
  /// least_norm: of every block of the pass's users.
  Worker(PassComparison& of, const ComparisonPass& pass, std::span<const double> least_norm)
      : of_(of), pass_(pass), least_norm_(least_norm), counted_(pass.bits.empty() && of.behaviour_.weight.empty()) {
    touched_.resize(std::min(pass.norm.size(), tile_bytes) + 1);
  }

  void compare(std::size_t u) {
    const auto items = places_of(of_.behaviour_.row_begin, static_cast<std::int64_t>(u)).size();
    if (!counted_ || items > std::numeric_limits<std::uint16_t>::max()) {
      compare(u, sums_);
    } else if (items > std::numeric_limits<std::uint8_t>::max()) {
      compare(u, words_);
    } else {
      compare(u, bytes_);
    }
  }

 private:
  template <typename Sum>
  void compare(std::size_t u, std::vector<Sum>& sum) {
    constexpr auto tile = tile_bytes / sizeof(Sum);
    const auto users = pass_.norm.size();
    sum.resize(std::min(users, tile));
    const auto entries = open(u);
    Best kept(pool_, of_.best[u], of_.count_);
    for (std::size_t begin = 0; begin < users; begin += tile) {
      const auto size = std::min(tile, users - begin);
      if constexpr (std::is_integral_v<Sum>) {
        // Looking at all, a vector at a time, beats remembering which ones are not 0.
        if (entries * 128 >= users * sizeof(Sum)) {
          count(begin, size, sum);
          choose_of_all(u, begin, std::span(sum).first(size), kept);
          continue;
        }
      }
      const auto others = add_up(begin, size, sum);
      for (const auto other : std::span(touched_).first(others)) {
        const auto shared = static_cast<double>(sum[other]);
        sum[other] = 0;
        offer(u, begin + static_cast<std::size_t>(other), shared, kept);
      }
    }
    kept.finish();
  }

  // Returns how many entries the lists of the user's items have.
  std::size_t open(std::size_t u) {
    lists_.clear();
    std::size_t entries = 0;
    for (const auto k : places_of(of_.behaviour_.row_begin, static_cast<std::int64_t>(u))) {
      const auto row = of_.items_.place[k];
      const auto begin = static_cast<std::size_t>(pass_.list.row_begin[row]);
      const auto end = static_cast<std::size_t>(pass_.list.row_begin[row + 1]);
      if (begin == end) continue;
      entries += end - begin;
      lists_.push_back({pass_.list.value.data() + begin, pass_.list.value.data() + end,
                        pass_.bits.empty() ? nullptr : pass_.bits.data() + begin, of_.behaviour_.weight_of(k)});
    }
    return entries;
  }

  template <typename Sum>
  void count(std::size_t begin, std::size_t size, std::vector<Sum>& sum) {
    const auto first = static_cast<std::int32_t>(begin);
    const auto end_of_tile = static_cast<std::int32_t>(begin + size);
    auto* const counts = sum.data();
    for (auto& list : lists_) {
      const auto* at = list.at;
      for (const auto* const end = list.end; at != end && *at < end_of_tile; ++at) ++counts[*at - first];
      list.at = at;
    }
  }

  // Items ascend, so that the sum of a pair is added up in the same order from both sides. Returns how many of the
  // tile's users share something; touched_ says which, less `begin`.
  template <typename Sum>
  std::size_t add_up(std::size_t begin, std::size_t size, std::vector<Sum>& sum) {
    const auto first = static_cast<std::int32_t>(begin);
    const auto end_of_tile = static_cast<std::int32_t>(begin + size);
    auto* const sums = sum.data();
    auto* const touched = touched_.data();
    std::size_t others = 0;
    for (auto& list : lists_) {
      const auto* at = list.at;
      const auto* bits = list.bits;
      const auto weight = list.weight;
      for (const auto* const end = list.end; at != end && *at < end_of_tile; ++at) {
        const auto other = *at - first;
        const auto before = sums[other];
        // Written always, kept only where it is new: what is shared is above 0.
        touched[others] = other;
        others += before == 0 ? 1 : 0;
        if constexpr (std::is_integral_v<Sum>) {
          sums[other] = static_cast<Sum>(before + 1);
        } else {
          sums[other] =
              before + (bits == nullptr ? weight : weight * static_cast<double>(std::bit_cast<float>(*bits++)));
        }
      }
      list.at = at;
      list.bits = bits;
    }
    return others;
  }

  template <typename Sum>
  void choose_of_all(std::size_t u, std::size_t begin, std::span<Sum> sum, Best& kept) {
    for (std::size_t from = 0; from < sum.size(); from += block) {
      const auto counts = sum.subspan(from, std::min(block, sum.size() - from));
      const auto least = least_shared(kept.least(), least_norm_[(begin + from) / block]);
      if (least <= std::numeric_limits<Sum>::max()) {
        const auto found = not_below(counts, static_cast<Sum>(least), touched_);
        for (const auto other : std::span(touched_).first(static_cast<std::size_t>(found))) {
          offer(u, begin + from + static_cast<std::size_t>(other), static_cast<double>(counts[other]), kept);
        }
      }
      std::ranges::fill(counts, Sum{0});
    }
  }

  // How many items one must share whose row has at least `norm` items, and of course those that it shares, so that its
  // score is not below `score`.
  std::size_t least_shared(double score, double norm) const {
    const auto about = !of_.cosine_ || score > norm ? score : std::sqrt(score * norm);
    auto shared = std::max(1.0, std::floor(about) - 1);
    while ((of_.cosine_ ? shared * shared / std::max(shared, norm) : shared) < score) ++shared;
    return static_cast<std::size_t>(shared);
  }

  void offer(std::size_t u, std::size_t other, double shared, Best& kept) {
    // Most are seen to be too little without a look at their own norm.
    if (of_.cosine_ && shared * shared / least_norm_[other / block] < kept.least()) return;
    const auto user = pass_.user[other];
    if (static_cast<std::int64_t>(user) == of_.self_[u]) return;
    const auto norm = pass_.norm[other];
    const auto score = of_.cosine_ ? shared * shared / norm : shared;
    if (score < kept.least()) return;
    const auto weight = of_.cosine_ ? static_cast<float>(shared / std::sqrt(of_.norm_[u] * norm))
                                    : of_.of_count_.interaction(static_cast<float>(shared));
    if (weight > 0) kept.enter({score, weight, user});
  }

  PassComparison& of_;
  const ComparisonPass& pass_;
  std::span<const double> least_norm_;
  bool counted_;
  std::vector<OpenList> lists_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint16_t> words_;
  std::vector<double> sums_;
  std::vector<std::int32_t> touched_;
  std::vector<SimilarUser> pool_;
};

PassComparison::PassComparison(const GraphConfig& options, const Behaviour& behaviour, const Distinct& items,
                               std::span<const std::int64_t> self)
    : cosine_(options.similarity == UserSimilarity::cosine),
      of_count_(options),
      behaviour_(behaviour),
      items_(items),
      self_(self),
      norm_(norms_of(behaviour)),
      count_(static_cast<std::size_t>(options.neighbours)) {
  best.resize(norm_.size());
}

void PassComparison::run(const ComparisonPass& pass) {
  constexpr std::int64_t chunk = 64;
  const auto chunks = (behaviour_.users() + chunk - 1) / chunk;
  std::vector<double> least_norm;
  for (std::size_t from = 0; from < pass.norm.size(); from += block) {
    least_norm.push_back(std::ranges::min(pass.norm.subspan(from, std::min(block, pass.norm.size() - from))));
  }
  ParallelFailure failure;
#pragma omp parallel
  {
    std::optional<Worker> worker;
    failure.run([&] { worker.emplace(*this, pass, least_norm); });
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t c = 0; c < chunks; ++c) {
      failure.run([&] {
        if (!worker) return;  // its thread failed above
        const auto end = std::min((c + 1) * chunk, behaviour_.users());
        for (auto u = c * chunk; u < end; ++u) worker->compare(static_cast<std::size_t>(u));
      });
    }
  }
  failure.rethrow();
}

}  // namespace cohort
