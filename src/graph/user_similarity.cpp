#include "graph/user_similarity.hpp"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "comm/cost_blocks.hpp"
#include "comm/index_plan.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"
#include "graph/edge_weights.hpp"
#include "graph/item_lists.hpp"

namespace cohort {

namespace {

struct Candidate {
  double score;  // what orders a user's candidates: the square of the cosine times the user's own norm, or the count
  float weight;  // of the edge
  std::uint32_t user;
};

bool better(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.user < b.user);
}

// The best of what one user is compared with.
class Best {
 public:
  /// kept: the best so far, in order, which is where the result goes.
  Best(std::vector<Candidate>& pool, std::vector<Candidate>& kept, std::size_t count)
      : pool_(pool), kept_(kept), count_(count) {
    pool_.assign(kept.begin(), kept.end());
    if (pool_.size() == count_) worst_ = pool_.back();
  }
  bool may_enter(double score) const { return score >= worst_.score; }
  void enter(const Candidate& candidate) {
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

  std::vector<Candidate>& pool_;
  std::vector<Candidate>& kept_;
  std::size_t count_;
  Candidate worst_{0, 0, std::numeric_limits<std::uint32_t>::max()};
};

// What users of one pass are compared by, and how.
struct Pass {
  std::int64_t first = 0;          // user
  std::vector<double> norm;        // of its users: the sum of the squares of their rows
  IndexPlan::Rows list;            // by place of the wanted items; users less `first`
  std::vector<std::int32_t> bits;  // of the lists' weights; empty: all are 1
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
  void run(const Pass& pass) {
    constexpr std::int64_t chunk = 64;
    const auto chunks = (behaviour_.users() + chunk - 1) / chunk;
    ParallelFailure failure;
#pragma omp parallel
    {
      std::vector<double> sum;
      std::vector<std::int32_t> touched;
      std::vector<Candidate> pool;
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

  std::vector<std::vector<Candidate>> best;  ///< of each, the best first

 private:
  // Items ascend, so that the sum of a pair is added up in the same order from both sides. Returns how many of the
  // pass's users share something.
  std::size_t add_up(const Pass& pass, std::size_t u, std::vector<double>& sum,
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

  void choose(const Pass& pass, std::size_t u, std::span<const std::int32_t> touched, std::vector<double>& sum,
              std::vector<Candidate>& pool) {
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

struct DirectedEdge {
  std::uint32_t from;  // of the receiver's block
  std::uint32_t to;
  float weight;
};

// Both directions of every edge, by the first user's owner. Collective.
PairTable both_directions(const Communicator& comm, const Distribution& users,
                          const std::vector<std::vector<Candidate>>& best) {
  std::vector<std::int64_t> begin(comm.size() + 1, 0);
  std::vector<DirectedEdge> outgoing;
  const auto first = users.begin(comm.rank());
  comm.attempt([&] {
    for (const auto& row : best) {
      for (const auto& each : row) ++begin[users.owner(each.user) + 1];
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    outgoing.resize(begin.back());
    auto next = begin;
    for (std::size_t u = 0; u < best.size(); ++u) {
      for (const auto& each : best[u]) {
        const auto owner = users.owner(each.user);
        outgoing[next[owner]++] = {static_cast<std::uint32_t>(each.user - users.begin(owner)),
                                   static_cast<std::uint32_t>(first + static_cast<std::int64_t>(u)), each.weight};
      }
    }
  });
  auto came = comm.exchange(std::span<const DirectedEdge>(outgoing), std::span<const std::int64_t>(begin)).data;
  outgoing = {};
  PairTable table;
  comm.attempt([&] {
    std::vector<std::int64_t> row_begin(best.size() + 1, 0);
    for (const auto& edge : came) ++row_begin[edge.from + 1];
    std::partial_sum(row_begin.begin(), row_begin.end(), row_begin.begin());
    std::vector<std::pair<std::uint32_t, float>> back(came.size());
    auto next = row_begin;
    for (const auto& edge : came) back[next[edge.from]++] = {edge.to, edge.weight};
    came = {};
    std::vector<std::pair<std::uint32_t, float>> row;
    for (std::size_t u = 0; u < best.size(); ++u) {
      row.clear();
      for (const auto& each : best[u]) row.emplace_back(each.user, each.weight);
      row.insert(row.end(), back.begin() + row_begin[u], back.begin() + row_begin[u + 1]);
      std::ranges::sort(row);
      row.erase(std::unique(row.begin(), row.end()), row.end());
      for (const auto& [other, weight] : row) {
        table.other.push_back(other);
        table.weight.push_back(weight);
      }
      table.row_begin.push_back(table.size());
    }
  });
  return table;
}

struct Compared {
  std::vector<std::vector<Candidate>> best;
  std::int64_t passes = 0;
};

// Each of this rank's users of `asked` with all users of the dataset, whose rows are `stored`. Collective.
Compared compare(const Communicator& comm, const Dataset& dataset, const Behaviour& stored, const Behaviour& asked,
                 std::span<const std::int64_t> self, const GraphConfig& options, std::int64_t memory) {
  const auto& users = dataset.users.distribution;
  const bool weighted = comm.any(!stored.weight.empty());
  const auto first_user = users.begin(comm.rank());
  const bool themselves = &stored == &asked;
  Distinct held;
  Distinct other;
  std::vector<double> norms;
  std::optional<UserComparison> comparison;
  const auto& wanted = themselves ? held : other;
  comm.attempt([&] {
    held = distinct_of(stored.item);
    if (!themselves) other = distinct_of(asked.item);
    norms = norms_of(stored);
    comparison.emplace(options, asked, wanted, self);
  });
  const auto passes = passes_of(comm, stored, memory);
  ItemLists lists(comm, dataset.items.distribution, first_user, stored, held, weighted);
  const IndexPlan plan(comm, lists.blocks(), wanted.values);
  for (int p = 0; p < passes.ranks(); ++p) {
    comm.stop_if_interrupted();
    Pass pass;
    pass.first = passes.begin(p);
    ItemLists::Part part;
    std::span<const double> norm;
    comm.attempt([&] {
      part = lists.take(pass.first, passes.end(p));
      const auto from = std::clamp(pass.first - first_user, std::int64_t{0}, users.count(comm.rank()));
      const auto to = std::clamp(passes.end(p) - first_user, std::int64_t{0}, users.count(comm.rank()));
      norm = std::span<const double>(norms).subspan(from, to - from);
    });
    pass.norm = comm.all_gather(norm).data;
    pass.list = plan.fetch_rows(part.row_begin, part.user);
    if (weighted) pass.bits = plan.fetch_rows(part.row_begin, part.weight).value;
    part = {};
    comm.attempt([&] { comparison->run(pass); });
  }
  return {std::move(comparison->best), passes.ranks()};
}

}  // namespace

SimilarUsers similar_users(const Communicator& comm, const Dataset& dataset, const GraphConfig& options,
                           std::int64_t memory) {
  const auto& users = dataset.users.distribution;
  if (users.total() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("graph.kind = \"user\" takes no more than 2^32 - 1 users, and there are " +
                     std::to_string(users.total()));
  }
  SimilarUsers result;
  Behaviour behaviour;
  std::vector<std::int64_t> self;
  comm.attempt([&] {
    behaviour = behaviour_of(dataset, users.count(comm.rank()), options);
    self.resize(users.count(comm.rank()));
    std::iota(self.begin(), self.end(), users.begin(comm.rank()));
  });
  result.passed_over = pass_over(comm, dataset.items.distribution, options.max_item_users, behaviour);
  const auto compared = compare(comm, dataset, behaviour, behaviour, self, options, memory);
  result.passes = compared.passes;
  result.edges = both_directions(comm, users, compared.best);
  return result;
}

PairTable similar_to(const Communicator& comm, const Dataset& dataset, const GraphConfig& options,
                     const PairTable& asked, std::span<const std::int64_t> self, std::int64_t memory) {
  COHORT_CHECK(std::ssize(self) == asked.rows());
  Behaviour stored;
  Behaviour theirs;
  comm.attempt([&] {
    stored = behaviour_of(dataset, dataset.users.distribution.count(comm.rank()), options);
    for (std::int64_t u = 0; u < asked.rows(); ++u) {
      for (const auto k : places_of(asked.row_begin, u)) {
        if (asked.weight[k] == 0) continue;
        theirs.item.push_back(asked.other[k]);
        if (is_weighted(options)) theirs.weight.push_back(asked.weight[k]);
      }
      theirs.row_begin.push_back(std::ssize(theirs.item));
    }
  });
  const auto passed_over = pass_over(comm, dataset.items.distribution, options.max_item_users, stored);
  pass_over(comm, dataset.items.distribution, passed_over, theirs);
  const auto compared = compare(comm, dataset, stored, theirs, self, options, memory);
  PairTable edges;
  comm.attempt([&] {
    std::vector<Candidate> row;
    for (const auto& best : compared.best) {
      row = best;
      std::ranges::sort(row, {}, &Candidate::user);
      for (const auto& each : row) {
        edges.other.push_back(each.user);
        edges.weight.push_back(each.weight);
      }
      edges.row_begin.push_back(edges.size());
    }
  });
  return edges;
}

}  // namespace cohort
