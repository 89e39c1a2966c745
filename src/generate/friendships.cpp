#include "generate/friendships.hpp"

#include <algorithm>
#include <iterator>

#include "comm/distribution.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "generate/interactions.hpp"

namespace cohort {

namespace {

/// first < second: numbers of users.
struct Friends {
  std::int64_t first = -1;
  std::int64_t second = -1;
  friend bool operator==(const Friends& a, const Friends& b) { return a.first == b.first && a.second == b.second; }
  friend bool operator<(const Friends& a, const Friends& b) {
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  }
};

// The pair of draw `draw`; first = -1 where it joins a user with itself.
Friends draw_pair(const UserRoll& roll, double noise, const CounterRandom& random, std::uint64_t draw) {
  const auto below = [&](std::int64_t bound, std::uint32_t what) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound), draw, what));
  };
  const auto place = below(roll.users(), 0);
  std::int64_t begin = 0;
  std::int64_t end = roll.users();
  if (random.uniform(draw, 1) >= noise) {
    const auto segment = static_cast<std::size_t>(segment_at(roll.segment_begin(), place));
    begin = roll.segment_begin()[segment];
    end = roll.segment_begin()[segment + 1];
  }
  const auto other = begin + below(end - begin, 2);
  if (other == place) return {};
  const auto [low, high] = std::minmax({roll.user_at(place), roll.user_at(other)});
  return {low, high};
}

}  // namespace

std::int64_t most_friendships(const UserRoll& roll, double noise) {
  const auto pairs = [](std::int64_t users) {
    return 0.25 * static_cast<double>(users) * static_cast<double>(users - 1);
  };
  double most = 0;
  if (noise >= 1) {
    most = pairs(roll.users());
  } else {
    const auto& begin = roll.segment_begin();
    for (std::size_t s = 0; s + 1 < begin.size(); ++s) most += pairs(places_of(begin, s).size());
  }
  return static_cast<std::int64_t>(std::min(most, 1e18));
}

std::vector<std::string> friendship_lines(const Communicator& comm, const UserRoll& roll, std::int64_t count,
                                          double noise, std::uint64_t seed) {
  const CounterRandom random(seed, Purpose::generate_social);
  const auto owners = Distribution::even(roll.users(), comm.size());
  std::vector<Friends> mine;  // those whose first user is in this rank's block, ascending
  // Every round draws as many pairs as are missing, so that there are never more than wanted, whoever draws which.
  std::int64_t drawn = 0;
  for (auto missing = count; missing > 0; missing = count - comm.sum(std::ssize(mine))) {
    const auto share = Distribution::even(missing, comm.size());
    Bucketed<Friends> sent;
    comm.attempt([&] {
      std::vector<Friends> pairs;
      pairs.reserve(share.count(comm.rank()));
      for (auto i = share.begin(comm.rank()); i < share.end(comm.rank()); ++i) {
        const auto pair = draw_pair(roll, noise, random, static_cast<std::uint64_t>(drawn + i));
        if (pair.first >= 0) pairs.push_back(pair);
      }
      sent = bucket_by(std::span<const Friends>(pairs), comm.size(),
                       [&](const Friends& pair) { return owners.owner(pair.first); });
    });
    drawn += missing;
    auto came = comm.exchange(std::span<const Friends>(sent.data), std::span<const std::int64_t>(sent.begin)).data;
    sent = {};
    comm.attempt([&] {
      std::sort(came.begin(), came.end());
      came.erase(std::unique(came.begin(), came.end()), came.end());
      std::vector<Friends> joined;
      joined.reserve(mine.size() + came.size());
      std::set_union(mine.begin(), mine.end(), came.begin(), came.end(), std::back_inserter(joined));
      mine = std::move(joined);
    });
  }
  std::vector<std::string> pieces(1);
  comm.attempt([&] {
    for (const auto& pair : mine) {
      append_id(pieces[0], 'u', pair.first);
      pieces[0] += '\t';
      append_id(pieces[0], 'u', pair.second);
      pieces[0] += '\n';
    }
  });
  return pieces;
}

}  // namespace cohort
