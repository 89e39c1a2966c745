#include "generate/interactions.hpp"

#include <omp.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"

namespace cohort {

namespace {

constexpr std::int64_t users_a_piece = 1024;

// A user's random numbers, by what they are for.
enum class Stream : std::uint64_t { rounding, preferred, preferred_race, anywhere, anywhere_race };

std::uint64_t counter(std::int64_t user, Stream stream) {
  return static_cast<std::uint64_t>(user) * 8 + static_cast<std::uint64_t>(stream);
}

// Draws the items of one user after the other; each thread has its own.
class Drawer {
 public:
  Drawer(const ItemCatalogue& catalogue, std::uint64_t seed)
      : catalogue_(catalogue),
        random_(seed, Purpose::generate_interactions),
        taken_by_(static_cast<std::size_t>(catalogue.items()), -1) {}

  /// Numbers of `degree` different items, ascending.
  const std::vector<std::uint32_t>& draw(std::int64_t user, std::int64_t segment, std::int64_t degree, double noise) {
    user_ = user;
    chosen_.clear();
    const auto s = static_cast<std::size_t>(segment);
    const auto first = catalogue_.segment_begin[s];
    const auto last = catalogue_.segment_begin[s + 1];
    const auto from_anywhere = static_cast<std::int64_t>(noise * static_cast<double>(degree) +
                                                         random_.uniform(counter(user, Stream::rounding)));
    const auto from_preferred = std::clamp<std::int64_t>(degree - from_anywhere, 0, last - first);
    take(catalogue_.of_segment[s], first, last, from_preferred, last - first, Stream::preferred,
         Stream::preferred_race);
    take(catalogue_.everywhere, 0, catalogue_.items(), degree - from_preferred, catalogue_.items() - from_preferred,
         Stream::anywhere, Stream::anywhere_race);
    for (auto& place : chosen_) place = catalogue_.number[place];
    std::ranges::sort(chosen_);
    return chosen_;
  }

 private:
  // `count` more of the places [first, last), of which `left` are not taken yet. Draws that hit a taken item are
  // repeated; where that would take long, because most of the items or of their weight are wanted, the rest is decided
  // by a race, which has the same distribution.
  void take(const AliasTable& table, std::int64_t first, std::int64_t last, std::int64_t count, std::int64_t left,
            Stream draws, Stream race_draws) {
    COHORT_CHECK(count <= left);
    const auto tries = 4 * count <= left ? static_cast<std::uint32_t>(8 * count + 64) : 0;
    for (std::uint32_t n = 0; n < tries && count > 0; ++n) {
      const auto place = static_cast<std::uint32_t>(first) + table.pick(random_.words(counter(user_, draws), n));
      if (taken_by_[place] == user_) continue;
      choose(place);
      --count;
    }
    if (count > 0) race(first, last, count, race_draws);
  }

  // Drawing without replacement by weight is a race of exponential clocks (Efraimidis and Spirakis, "Weighted random
  // sampling with a reservoir", 2006): the first `count` to ring.
  void race(std::int64_t first, std::int64_t last, std::int64_t count, Stream stream) {
    rings_.clear();
    for (auto place = first; place < last; ++place) {
      const auto p = static_cast<std::size_t>(place);
      if (taken_by_[p] == user_) continue;
      const double uniform = random_.uniform(counter(user_, stream), static_cast<std::uint32_t>(place));
      rings_.emplace_back(-std::log1p(-uniform) / catalogue_.weight[p], static_cast<std::uint32_t>(place));
    }
    std::ranges::nth_element(rings_, rings_.begin() + count - 1);
    for (std::int64_t i = 0; i < count; ++i) choose(rings_[i].second);
  }

  void choose(std::uint32_t place) {
    taken_by_[place] = user_;
    chosen_.push_back(place);
  }

  const ItemCatalogue& catalogue_;
  CounterRandom random_;
  std::vector<std::int64_t> taken_by_;  // by place: the last user who took it
  std::int64_t user_ = -1;
  std::vector<std::uint32_t> chosen_;
  std::vector<std::pair<double, std::uint32_t>> rings_;
};

}  // namespace

void append_id(std::string& text, char kind, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  text += kind;
  text.append(digits, end);
}

std::vector<std::string> interaction_lines(const UserRoll& roll, const ItemCatalogue& catalogue,
                                           const Activity& activity, double noise, std::uint64_t seed,
                                           std::int64_t first_user, std::int64_t last_user) {
  const auto count = (last_user - first_user + users_a_piece - 1) / users_a_piece;
  std::vector<std::string> pieces(count);
  std::vector<std::unique_ptr<Drawer>> drawers(omp_get_max_threads());
  for_each_in_parallel(count, [&](std::int64_t p) {
    auto& drawer = drawers[omp_get_thread_num()];
    if (!drawer) drawer = std::make_unique<Drawer>(catalogue, seed);
    auto& text = pieces[p];
    std::string user_id;
    const auto begin = first_user + p * users_a_piece;
    for (auto user = begin; user < std::min(last_user, begin + users_a_piece); ++user) {
      user_id.clear();
      append_id(user_id, 'u', user);
      user_id += '\t';
      const auto degree = activity.degree(roll.activity_rank(user));
      for (const auto item : drawer->draw(user, roll.segment(user), degree, noise)) {
        text += user_id;
        append_id(text, 'i', item);
        text += '\n';
      }
    }
    text.shrink_to_fit();
  });
  return pieces;
}

}  // namespace cohort
