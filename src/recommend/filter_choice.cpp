#include "recommend/filter_choice.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "core/random.hpp"
#include "items/ranking_measures.hpp"
#include "recommend/blend.hpp"
#include "recommend/filter_ranking.hpp"
#include "recommend/user_means.hpp"

namespace cohort {

namespace {

constexpr double sampled_users = 2048;  // expected
constexpr std::int64_t cut_off = 20;
constexpr std::array ridges{0.0, 0.1, 0.02};
constexpr double dense_share = 0.01;  // of all pairs of user and item
constexpr std::array other_powers{0.0, 0.2, 0.4, 0.5};
constexpr std::array weights_beside{0.5, 1.0, 2.0, 4.0, 8.0, 16.0};
constexpr double usual_power = 0.3;
constexpr double usual_weight = 2;

}  // namespace

FilterAnswer choose_filter(const Communicator& comm, const FilterQuestion& question) {
  const auto& held = question.validation->held;
  const CounterRandom random(question.seed, Purpose::validation_users);
  const auto first = question.user_blocks->begin(comm.rank());
  std::vector<std::int64_t> users;
  std::vector<double> gains;
  std::vector<double> weights;
  std::size_t start = 0;  // of them
  comm.attempt([&] {
    for (std::int64_t u = 0; u < held.pairs.rows(); ++u) {
      // Those that hold something back are some 5,000.
      const auto share =
          sampled_users / std::min<double>(validation_users, static_cast<double>(question.user_blocks->total()));
      if (!held.pairs.row(u).empty() && random.uniform(static_cast<std::uint64_t>(first + u), 1) < share)
        users.push_back(u);
    }
    gains = ideal_gains(cut_off);
    if (question.alone) weights.push_back(0);
    if (question.beside) weights.insert(weights.end(), weights_beside.begin(), weights_beside.end());
    if (question.beside) start = static_cast<std::size_t>(std::ranges::find(weights, usual_weight) - weights.begin());
  });
  FilterAnswer answer;
  answer.users = comm.sum(std::ssize(users));
  if (answer.users == 0) {
    answer.power = usual_power;
    answer.weight = usual_weight;
    answer.ndcg = std::numeric_limits<double>::quiet_NaN();
    return answer;
  }
  const UserMeans means(comm, users);
  FilterRanking ranking(comm, *question.graph, question.beside ? question.validation->items.view() : ConstMatrixView(),
                        *question.item_blocks, *question.choice);
  FilterSignals signals;
  signals.items = &held.left;
  signals.excluded = &held.left;
  if (question.beside) signals.rows = question.validation->users.view();
  signals.chosen = &users;
  std::vector<std::vector<double>> ndcg(weights.size());
  std::vector<double> best;
  bool any_tried = false;
  const auto try_out = [&](double ridge, double power) {
    comm.attempt([&] {
      for (auto& values : ndcg) values.assign(held.pairs.rows(), 0.0);
    });
    ranking.find(signals, {ridge, power, weights}, cut_off, held.pairs,
                 [&](std::size_t weight, std::int64_t user, std::span<const std::int64_t> places) {
                   ndcg[weight][user] = ndcg_of_places(places, held.pairs.row(user).size(), cut_off, gains);
                 });
    std::optional<std::size_t> chosen;
    const auto take = [&](std::size_t w) {
      chosen = w;
      best = ndcg[w];
    };
    if (!any_tried) take(start);
    any_tried = true;
    for (std::size_t w = 0; w < weights.size(); ++w) {
      const auto gain = means.gain(ndcg[w], best);
      if (gain.mean > gain.standard_error) take(w);
    }
    if (!chosen) return;
    answer.ridge = ridge;
    answer.power = power;
    answer.ndcg = means.mean(best);
    answer.weight = weights[*chosen];
    answer.alone = answer.weight == 0;
    if (!answer.alone || !question.beside) return;
    double largest = -1;
    for (std::size_t w = 1; w < weights.size(); ++w) {
      const auto found = means.mean(ndcg[w]);
      if (found <= largest) continue;
      largest = found;
      answer.weight = weights[w];
    }
  };
  const auto pairs =
      static_cast<double>(question.user_blocks->total()) * static_cast<double>(question.item_blocks->total());
  const bool dense = static_cast<double>(comm.sum(held.left.size())) >= dense_share * pairs;
  for (const auto ridge : ridges) {
    if (ridge == 0 || dense) try_out(ridge, usual_power);
  }
  const auto ridge = answer.ridge;
  for (const auto power : other_powers) try_out(ridge, power);
  if (question.without) {
    const auto gain = means.gain(best, *question.without);
    answer.gain = gain.mean;
    answer.standard_error = gain.standard_error;
  }
  return answer;
}

}  // namespace cohort
