#include "graph/user_comparison.hpp"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "comm/cost_blocks.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "graph/edge_weights.hpp"

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
  bool may_enter(double score) const { return score >= worst_.score; }
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

// Of each user: the sum of the squares of its row.
std::vector<double> norms_of(const Behaviour& behaviour) {
  std::vector<double> norm;
  for (std::int64_t u = 0; u < behaviour.users(); ++u) {
    double sum = 0;
    for (const auto k : places_of(behaviour.row_begin, u)) sum += behaviour.weight_of(k) * behaviour.weight_of(k);
    norm.push_back(sum);
  }
  return norm;
}

class UserComparison {
 public:
  /// items: the distinct ones of `behaviour`. self: of its users, whom each is not compared with.
  UserComparison(const GraphConfig& options, const Behaviour& behaviour, const Distinct& items,
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

  /// Compares all of this rank's users with those of a pass.
  void run(const ComparisonPass& pass) {
    constexpr std::int64_t chunk = 64;
    const auto chunks = (behaviour_.users() + chunk - 1) / chunk;
    ParallelFailure failure;
#pragma omp parallel
    {
      std::vector<double> sum;
      std::vector<std::int32_t> touched;
      std::vector<SimilarUser> pool;
      failure.run([&] {
        sum.assign(pass.norm.size(), 0.0);
        touched.resize(pass.norm.size() + 1);
      });
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t c = 0; c < chunks; ++c) {
        failure.run([&] {
          if (touched.size() != pass.norm.size() + 1) return;  // its thread failed above
          const auto end = std::min((c + 1) * chunk, behaviour_.users());
          for (auto u = c * chunk; u < end; ++u) {
            const auto others = add_up(pass, static_cast<std::size_t>(u), sum, touched);
            choose(pass, static_cast<std::size_t>(u), {touched.data(), others}, sum, pool);
          }
        });
      }
    }
    failure.rethrow();
  }

  std::vector<std::vector<SimilarUser>> best;  ///< of each, the best first

 private:
  // Items ascend, so that the sum of a pair is added up in the same order from both sides. Returns how many of the
  // pass's users share something.
  std::size_t add_up(const ComparisonPass& pass, std::size_t u, std::vector<double>& sum,
                     std::vector<std::int32_t>& touched) const {
    std::size_t others = 0;
    for (const auto k : places_of(behaviour_.row_begin, u)) {
      const auto row = items_.place[k];
      const auto weight = behaviour_.weight_of(k);
      const auto begin = static_cast<std::size_t>(pass.list.row_begin[row]);
      const auto end = static_cast<std::size_t>(pass.list.row_begin[row + 1]);
      for (auto at = begin; at < end; ++at) {
        const auto other = pass.list.value[at];
        auto& shared = sum[other];
        // Written always, kept only where it is new: what is shared is above 0.
        touched[others] = other;
        others += shared == 0 ? 1 : 0;
        shared += pass.bits.empty() ? weight : weight * static_cast<double>(std::bit_cast<float>(pass.bits[at]));
      }
    }
    return others;
  }

  void choose(const ComparisonPass& pass, std::size_t u, std::span<const std::int32_t> touched,
              std::vector<double>& sum, std::vector<SimilarUser>& pool) {
    Best kept(pool, best[u], count_);
    const auto self = self_[u] - pass.first;
    for (const auto other : touched) {
      const auto shared = sum[other];
      sum[other] = 0;
      if (other == self) continue;
      const auto score = cosine_ ? shared * shared / pass.norm[other] : shared;
      if (!kept.may_enter(score)) continue;
      const auto weight = cosine_ ? static_cast<float>(shared / std::sqrt(norm_[u] * pass.norm[other]))
                                  : of_count_.interaction(static_cast<float>(shared));
      if (weight > 0) kept.enter({score, weight, static_cast<std::uint32_t>(pass.first + other)});
    }
    kept.finish();
  }

  bool cosine_;
  EdgeWeights of_count_;
  const Behaviour& behaviour_;
  const Distinct& items_;
  std::span<const std::int64_t> self_;
  std::vector<double> norm_;
  std::size_t count_;
};

// The users that others are compared with, cut so that what a pass needs of the lists, twice as they are packed and
// sent, and its sums fit `memory`. Collective.
Distribution passes_of(const Communicator& comm, const Behaviour& behaviour, std::int64_t memory) {
  const std::int64_t of_entry = behaviour.weight.empty() ? 8 : 16;
  const std::int64_t of_user = 8 + 12 * comm.max(omp_get_max_threads());
  std::vector<std::int64_t> cost;
  std::int64_t total = 0;
  comm.attempt([&] {
    for (std::int64_t u = 0; u < behaviour.users(); ++u) {
      cost.push_back(of_user + of_entry * (places_of(behaviour.row_begin, u).size()));
      total += cost.back();
    }
  });
  total = comm.sum(total);
  const auto passes = std::min((total + memory - 1) / memory, comm.sum(behaviour.users()));
  return cost_blocks(comm, {cost}, static_cast<int>(std::max<std::int64_t>(passes, 1)));
}

Distinct items_of(const Communicator& comm, const Behaviour& behaviour) {
  Distinct items;
  comm.attempt([&] { items = distinct_of(behaviour.item); });
  return items;
}

}  // namespace

StoredUsers::StoredUsers(const Communicator& comm, const Distribution& users, const Distribution& items,
                         Behaviour behaviour, const GraphConfig& options, std::int64_t memory)
    : comm_(comm),
      users_(users),
      options_(options),
      behaviour_(std::move(behaviour)),
      weighted_(comm.any(!behaviour_.weight.empty())),
      items_(items_of(comm, behaviour_)),
      passes_(passes_of(comm, behaviour_, memory)),
      lists_(comm, items, users.begin(comm.rank()), behaviour_, items_, weighted_) {
  comm.attempt([&] { norm_ = norms_of(behaviour_); });
}

// Collective.
StoredUsers::Part StoredUsers::part_of(int pass) {
  const auto first_user = users_.begin(comm_.rank());
  Part part;
  std::span<const double> norm;
  comm_.attempt([&] {
    part.lists = lists_.take(passes_.begin(pass), passes_.end(pass));
    const auto from = std::clamp(passes_.begin(pass) - first_user, std::int64_t{0}, users_.count(comm_.rank()));
    const auto to = std::clamp(passes_.end(pass) - first_user, std::int64_t{0}, users_.count(comm_.rank()));
    norm = std::span<const double>(norm_).subspan(from, to - from);
  });
  part.norm = comm_.all_gather(norm).data;
  return part;
}

std::vector<std::vector<SimilarUser>> StoredUsers::most_similar(const Behaviour& asked,
                                                                std::span<const std::int64_t> self) {
  COHORT_CHECK(std::ssize(self) == asked.users());
  const bool themselves = &asked == &behaviour_;
  Distinct other;
  if (!themselves) other = items_of(comm_, asked);
  const auto& wanted = themselves ? items_ : other;
  std::optional<UserComparison> comparison;
  comm_.attempt([&] { comparison.emplace(options_, asked, wanted, self); });
  const IndexPlan plan(comm_, lists_.blocks(), wanted.values);
  if (passes_.ranks() == 1 && !only_) only_ = part_of(0);
  if (!only_) lists_.rewind();
  for (int p = 0; p < passes_.ranks(); ++p) {
    comm_.stop_if_interrupted();
    std::optional<Part> taken;
    if (!only_) taken = part_of(p);
    const auto& part = only_ ? *only_ : *taken;
    ComparisonPass pass;
    pass.first = passes_.begin(p);
    pass.norm = part.norm;
    pass.list = plan.fetch_rows(part.lists.row_begin, part.lists.user);
    if (weighted_) pass.bits = plan.fetch_rows(part.lists.row_begin, part.lists.weight).value;
    if (taken) taken->lists = {};
    comm_.attempt([&] { comparison->run(pass); });
  }
  return std::move(comparison->best);
}

}  // namespace cohort
