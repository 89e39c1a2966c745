#include "train/sampler.hpp"

#include <algorithm>
#include <numeric>

#include "comm/index_plan.hpp"
#include "graph/id_numbers.hpp"

namespace cohort {

namespace {

struct DrawnUser {
  std::int64_t triple;
  std::int64_t user;  // user_number
};

std::uint64_t counter(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::int64_t batch_size(std::int64_t configured, std::int64_t positives) {
  constexpr std::int64_t least = 2048;
  constexpr std::int64_t most_steps = 64;
  return configured > 0 ? configured : std::max(least, (positives + most_steps - 1) / most_steps);
}

TripleSampler::TripleSampler(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                             const Positives& positives, const TrainConfig& config)
    : comm_(comm),
      graph_(graph),
      directory_(directory),
      positives_(positives),
      batch_(batch_size(config.batch, positives.total)),
      seed_(counter(config.seed)),
      every_positive_once_(config.sampler == SamplerKind::interactions) {
  if (positives.total == 0) {
    throw TooLittleError(
        "there is nothing to train on: no user has an interaction (or friend) and at the same time lacks one; "
        "check [input] and [clean]");
  }
  comm.attempt([&] {
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      if (!positives.can_be_sampled(row, graph.node[row])) continue;
      user_.push_back({positives.user_number[row], LocalRow{static_cast<std::int32_t>(row)}});
    }
    std::ranges::sort(user_, {}, &NumberedUser::number);
  });
  positive_position_ = directory.lookup(comm, positives.node);
  if (!every_positive_once_) find_owners();
}

// Tells the ranks that hold the blocks of user numbers who owns which user.
void TripleSampler::find_owners() {
  numbered_users_ = Distribution::even(positives_.sampled_users, comm_.size());
  std::vector<std::int64_t> number;
  std::vector<std::int32_t> mine;
  comm_.attempt([&] {
    for (const auto& user : user_) number.push_back(user.number);
    mine.assign(user_.size(), static_cast<std::int32_t>(comm_.rank()));
    owner_.assign(numbered_users_.count(comm_.rank()), -1);
  });
  IndexPlan(comm_, numbered_users_, number).set(std::span<const std::int32_t>(mine), std::span<std::int32_t>(owner_));
}

void TripleSampler::begin_epoch(std::int64_t epoch) {
  epoch_ = static_cast<std::uint32_t>(epoch);
  if (!every_positive_once_) return;
  comm_.attempt([&] {
    // Where in the order each own positive stands: no rank needs to look at those of others.
    const RandomPermutation order(counter(triples()), seed_, Purpose::interaction_order, counter(epoch));
    std::vector<std::int64_t> begin{0};
    for (const auto& user : user_) begin.push_back(begin.back() + std::ssize(positives_.of(user.row.value)));
    std::vector<Pick> picks(begin.back());
#pragma omp parallel for schedule(dynamic, 64)
    for (std::size_t u = 0; u < user_.size(); ++u) {
      const LocalRow row = user_[u].row;
      const std::int64_t first = positives_.first_number[row.value];
      for (std::int64_t at = begin[u]; at < begin[u + 1]; ++at) {
        const std::int64_t k = at - begin[u];
        picks[at] = {static_cast<std::int64_t>(order.inverse(counter(first + k))), row, static_cast<std::int32_t>(k)};
      }
    }
    order_ = {};
    order_ = by_step(picks, 0, steps());
  });
}

// Picks of steps [first, last), sorted by number.
TripleSampler::Picks TripleSampler::by_step(std::span<const Pick> picks, std::int64_t first, std::int64_t last) const {
  Picks result;
  result.step_begin.assign(last - first + 1, 0);
  const auto step_of = [&](const Pick& pick) { return static_cast<std::size_t>(pick.number / batch_ - first); };
  for (const auto& pick : picks) ++result.step_begin[step_of(pick) + 1];
  std::partial_sum(result.step_begin.begin(), result.step_begin.end(), result.step_begin.begin());
  auto next = result.step_begin;
  result.pick.resize(picks.size());
  for (const auto& pick : picks) result.pick[next[step_of(pick)]++] = pick;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t step = 0; step < static_cast<std::size_t>(last - first); ++step) {
    std::ranges::sort(result.pick.begin() + result.step_begin[step], result.pick.begin() + result.step_begin[step + 1],
                      {}, &Pick::number);
  }
  return result;
}

// Every rank draws the users of an even part of the triples; they travel over the rank that knows the owner of a user.
std::vector<TripleSampler::Pick> TripleSampler::draw_users(std::int64_t first, std::int64_t last) const {
  const auto part = Distribution::even(last - first, comm_.size());
  const CounterRandom users(seed_, Purpose::sampled_user);
  Bucketed<DrawnUser> outgoing;
  const auto travel = [&](std::span<const DrawnUser> drawn, auto owner) {
    comm_.attempt([&] { outgoing = bucket_by(drawn, comm_.size(), owner); });
    return comm_.exchange(std::span<const DrawnUser>(outgoing.data), std::span<const std::int64_t>(outgoing.begin))
        .data;
  };
  std::vector<DrawnUser> drawn;
  comm_.attempt([&] {
    for (auto i = part.begin(comm_.rank()); i < part.end(comm_.rank()); ++i) {
      const auto user = users.below(counter(positives_.sampled_users), counter(first + i), epoch_);
      drawn.push_back({first + i, static_cast<std::int64_t>(user)});
    }
  });
  drawn = travel(drawn, [&](const DrawnUser& each) { return numbered_users_.owner(each.user); });
  drawn = travel(drawn, [&](const DrawnUser& each) { return owner_[each.user - numbered_users_.begin(comm_.rank())]; });
  std::vector<Pick> picks;
  comm_.attempt([&] {
    const CounterRandom positive(seed_, Purpose::sampled_positive);
    for (const auto& each : drawn) {
      const LocalRow row = std::ranges::lower_bound(user_, each.user, {}, &NumberedUser::number)->row;
      const auto count = positives_.of(row.value).size();
      picks.push_back(
          {each.triple, row, static_cast<std::int32_t>(positive.below(count, counter(each.triple), epoch_))});
    }
  });
  return picks;
}

StepTriples TripleSampler::draw(std::int64_t first, std::int64_t last) const {
  COHORT_CHECK(0 <= first && first <= last && last <= steps());
  if (every_positive_once_) {
    const auto* const begin = order_.step_begin.data();
    std::vector<std::int64_t> step_begin(begin + first, begin + last + 1);
    const auto from = step_begin.front();
    for (auto& offset : step_begin) offset -= from;
    const auto picks = std::span(order_.pick).subspan(from, step_begin.back());
    return with_negatives(picks, std::move(step_begin), first);
  }
  auto picks = draw_users(first * batch_, std::min(last * batch_, triples()));
  Picks sorted;
  comm_.attempt([&] { sorted = by_step(picks, first, last); });
  return with_negatives(sorted.pick, std::move(sorted.step_begin), first);
}

StepTriples TripleSampler::with_negatives(std::span<const Pick> picks, std::vector<std::int64_t> step_begin,
                                          std::int64_t first) const {
  StepTriples result;
  result.first_step = first;
  result.step_begin = std::move(step_begin);
  std::vector<NodeId> negative;
  comm_.attempt([&] {
    result.triple.resize(picks.size());
    negative.resize(picks.size());
    const CounterRandom random(seed_, Purpose::sampled_negative);
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < picks.size(); ++i) {
      const auto& pick = picks[i];
      const std::int64_t row = pick.user.value;
      const NodeId user = graph_.node[row];
      const auto rank = random.below(counter(positives_.negatives(row, user)), counter(pick.number), epoch_);
      negative[i] = positives_.negative(row, user, static_cast<std::int64_t>(rank));
      result.triple[i].number = pick.number;
      result.triple[i].user = pick.user;
      result.triple[i].positive = positive_position_[positives_.row_begin[row] + pick.k];
    }
  });
  const auto position = directory_.lookup(comm_, negative);
  for (std::size_t i = 0; i < position.size(); ++i) result.triple[i].negative = position[i];
  return result;
}

}  // namespace cohort
