// The graph's filter and what is ranked with it, against dense eigenvectors in float64; and the choice of it.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "core/eigen.hpp"
#include "recommend/filter_choice.hpp"
#include "recommend/filter_graph.hpp"
#include "recommend/filter_ranking.hpp"
#include "recommend/recommendation.hpp"
#include "support/recommend_reference.hpp"
#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using namespace testing_support;

float weight_of(std::int64_t user, std::int64_t item) {
  return static_cast<float>(1 + (user * 7 + item * 3) % 4);
}

// A population with weights, its graph on shards, and what must come of it.
struct Case {
  BlockPopulation block;
  FilterGraph filter;
};

Case make_case(const Communicator& comm, const WholePopulation& whole, EdgeWeighting weighting, std::size_t cut) {
  const auto users = block_distributions(whole.user_count(), comm.size())[cut];
  const auto items = block_distributions(whole.item_count(), comm.size())[cut];
  Case made{BlockPopulation(whole, users, items, comm.rank()), {}};
  auto& table = made.block.interactions;
  for (std::int64_t u = 0; u < table.rows(); ++u) {
    for (auto k = table.row_begin[u]; k < table.row_begin[u + 1]; ++k) {
      table.weight[k] = weight_of(users.begin(comm.rank()) + u, table.other[k]);
    }
  }
  Dataset dataset;
  dataset.users.distribution = users;
  dataset.items.distribution = items;
  dataset.interactions = table;
  GraphConfig config;
  config.weight = weighting;
  const auto blocks = bipartite_graph(comm, dataset, config);
  const auto cuts = cut == 0 ? Distribution::even(test_shards, comm.size()) : on_last_rank(comm);
  made.filter = filter_graph(comm, blocks, shard(comm, blocks, cuts).graph, config);
  return made;
}

// The trigonometric polynomial of degree 5 nearest to p / (p + ridge), p = (1 - cos(angle)) / 2, by least squares over
// a grid of angles; 0 at angle 0.
double ridge_response(double angle, double ridge) {
  constexpr int grid = 2000;
  Eigen::MatrixXd waves(grid, 6);
  Eigen::VectorXd wanted(grid);
  for (int j = 0; j < grid; ++j) {
    const double node = std::acos(-1.0) * (j + 0.5) / grid;
    const double p = (1 - std::cos(node)) / 2;
    wanted[j] = p / (p + ridge);
    for (int k = 0; k < 6; ++k) waves(j, k) = std::cos(k * node);
  }
  const Eigen::VectorXd c = (waves.transpose() * waves).ldlt().solve(waves.transpose() * wanted);
  double sum = -c.sum();
  for (int k = 0; k < 6; ++k) sum += c[k] * std::cos(k * angle);
  return sum;
}

class DenseFilter {
 public:
  DenseFilter(const WholePopulation& whole, EdgeWeighting weighting, double ridge) : whole_(whole) {
    interactions_ = Eigen::MatrixXd::Zero(whole.user_count(), whole.item_count());
    for (std::int64_t u = 0; u < whole.user_count(); ++u) {
      for (const auto i : whole.interactions[u]) {
        interactions_(u, i) = weighting == EdgeWeighting::binary ? 1.0 : static_cast<double>(weight_of(u, i));
      }
    }
    const Eigen::VectorXd of_user = interactions_.rowwise().sum();
    degree_ = interactions_.colwise().sum();
    Eigen::MatrixXd normalised = interactions_;
    for (std::int64_t u = 0; u < normalised.rows(); ++u) {
      for (std::int64_t i = 0; i < normalised.cols(); ++i) {
        if (normalised(u, i) > 0) normalised(u, i) /= std::sqrt(of_user[u] * degree_[i]);
      }
    }
    // By the spectrum, T_k being cos(k arccos): not by the recurrence.
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(normalised.transpose() * normalised);
    Eigen::VectorXd response(solver.eigenvalues().size());
    for (std::int64_t j = 0; j < response.size(); ++j) {
      const double angle = std::acos(std::clamp(1 - 2 * solver.eigenvalues()[j], -1.0, 1.0));
      response[j] = ridge == 0
                        ? 0.5 - 0.4927 * std::cos(angle) - 0.0323 * std::cos(3 * angle) + 0.0211 * std::cos(5 * angle)
                        : ridge_response(angle, ridge);
    }
    operator_ = solver.eigenvectors() * response.asDiagonal() * solver.eigenvectors().transpose();
  }

  Eigen::VectorXd user(std::int64_t number) const { return interactions_.row(number); }

  std::vector<double> scores(const Eigen::VectorXd& had, const std::vector<float>& row, double power,
                             double weight) const {
    Eigen::VectorXd scale = Eigen::VectorXd::Zero(degree_.size());
    Eigen::VectorXd signal = scale;
    for (std::int64_t i = 0; i < degree_.size(); ++i) {
      if (degree_[i] == 0) continue;
      scale[i] = std::pow(degree_[i], power);
      signal[i] = had[i] / scale[i];
    }
    const Eigen::VectorXd filtered = (operator_ * signal).cwiseProduct(scale);
    const double filter = std::sqrt((filtered.array() - filtered.mean()).square().mean());
    const auto embedding = spread_of(whole_, row).second;
    const bool silent = had.isZero();
    std::vector<double> scores;
    for (std::int64_t i = 0; i < degree_.size(); ++i) {
      double product = 0;
      for (std::size_t c = 0; c < row.size(); ++c) {
        product += static_cast<double>(row[c]) * static_cast<double>(whole_.items[i][c]);
      }
      const double beside = embedding > 0 ? product / embedding : 0.0;
      scores.push_back(silent ? beside : filtered[i] / filter + weight * beside);
    }
    return scores;
  }

 private:
  const WholePopulation& whole_;
  Eigen::MatrixXd interactions_;
  Eigen::VectorXd degree_;
  Eigen::MatrixXd operator_;
};

// The best of `scores` without `excluded` and what is not allowed, but for rounding.
void expect_best(std::span<const ScoredItem> found, const std::vector<double>& scores,
                 const std::vector<std::int64_t>& excluded, const std::vector<char>& allowed, std::int64_t count) {
  std::vector<ReferenceItem> left;
  for (std::int64_t i = 0; i < std::ssize(scores); ++i) {
    if (allowed[i] && !std::ranges::binary_search(excluded, i)) left.push_back({scores[i], i});
  }
  std::ranges::stable_sort(left, [](const auto& a, const auto& b) { return a.score > b.score; });
  ASSERT_EQ(std::ssize(found), std::min(count, std::ssize(left)));
  for (std::size_t r = 0; r < found.size(); ++r) {
    const auto same = std::ranges::find(left, found[r].item, &ReferenceItem::item);
    ASSERT_NE(same, left.end()) << "item " << found[r].item << " may not be recommended, or is there twice";
    EXPECT_NEAR(same->score, left.front().score, 1e-4) << "rank " << r;
    EXPECT_NEAR(found[r].score, same->score, 1e-4);
    left.erase(same);
  }
}

RecommendModel model_of(const Communicator& comm, const Population& population, std::span<const char> allowed,
                        double ridge, double power, double weight) {
  RecommendOptions options;
  options.smoothing = false;
  options.allowed = allowed;
  auto model = fit_recommendations(comm, population, options);
  model.filter_ridge = ridge;
  model.filter_power = power;
  model.filter_weight = weight;
  return model;
}

TEST(Filter, ListsAreThoseOfTheDenseSpectrum) {
  const auto comm = Communicator::world();
  for (const auto& whole : {whole_population(130, 45, 10, 4, false, 1), whole_population(40, 70, 33, 3, true, 2)}) {
    for (const auto weighting : {EdgeWeighting::binary, EdgeWeighting::raw}) {
      for (const std::size_t cut : {0, 1}) {
        const double ridge = cut == 0 ? 0.0 : 0.05;
        const DenseFilter dense(whole, weighting, ridge);
        const auto made = make_case(comm, whole, weighting, cut);
        auto population = made.block.population();
        population.filter = &made.filter;
        const std::vector<char> every(whole.items.size(), 1);
        std::vector<char> some;
        for (std::int64_t i = 0; i < whole.item_count(); ++i) some.push_back(i % 3 != 1 ? 1 : 0);
        const auto first = some.begin() + made.block.item_blocks.begin(comm.rank());
        const std::vector<char> mine(first, first + made.block.item_blocks.count(comm.rank()));
        for (const bool listed : {false, true}) {
          const auto model = model_of(comm, population, listed ? std::span<const char>(mine) : std::span<const char>(),
                                      ridge, listed ? 0.4 : 0.0, 1.5);
          for (const auto strategy : {Strategy::filter, Strategy::hybrid}) {
            SCOPED_TRACE(testing::Message() << whole.user_count() << " users, " << word_of(weighting) << ", cut " << cut
                                            << ", " << name_of(strategy) << ", listed " << listed);
            const double weight = strategy == Strategy::filter ? 0 : 1.5;
            std::vector<int> calls(made.block.segment.size(), 0);
            recommend_to_users(comm, population, model, strategy, 6, nullptr,
                               [&](std::int64_t user, std::span<const ScoredItem> best) {
                                 ++calls[user];
                                 const auto u = made.block.user_blocks.begin(comm.rank()) + user;
                                 expect_best(best,
                                             dense.scores(dense.user(u), whole.users[u], model.filter_power, weight),
                                             whole.interactions[u], listed ? some : every, 6);
                               });
            EXPECT_EQ(calls, std::vector<int>(calls.size(), 1));
            const auto lists = recommend_to_segments(comm, population, model, strategy, 6);
            for (std::int32_t s = 0; s < whole.segments(); ++s) {
              Eigen::VectorXd had(whole.item_count());
              for (std::int64_t i = 0; i < whole.item_count(); ++i) {
                had[i] = static_cast<double>(whole.users_inside(i, s));
              }
              std::vector<ScoredItem> best;
              for (auto i = lists.begin[s]; i < lists.begin[s + 1]; ++i) {
                best.push_back({lists.score[i], lists.item[i]});
              }
              expect_best(best, dense.scores(had, whole.centroid[s], model.filter_power, weight), {},
                          listed ? some : every, 6);
            }
          }
        }
      }
    }
  }
}

// Users 0, 4, 8, ... want what they may, what they had, what nobody knows.
TEST(Filter, PlacesAreThoseInTheLists) {
  const auto comm = Communicator::world();
  const std::vector<double> weights{0.0, 0.7, 3.0};
  for (const bool listed : {false, true}) {
    for (const std::size_t cut : {0, 1}) {
      auto whole = whole_population(90, 300, 20, 4, false, 5);
      // Many of the same score, where the number decides.
      for (auto& items : whole.interactions) std::erase_if(items, [](auto i) { return i >= 60; });
      for (std::int64_t i = 60; i < whole.item_count(); ++i) whole.items[i] = whole.items[60 + i % 3];
      whole.count();
      const auto made = make_case(comm, whole, EdgeWeighting::binary, cut);
      const auto first = made.block.item_blocks.begin(comm.rank());
      ItemChoice choice;
      choice.all = !listed;
      for (std::int32_t i = 0; listed && i < made.block.item_blocks.count(comm.rank()); ++i) {
        if ((first + i) % 3 != 1) choice.rows.push_back(i);
      }
      const auto population = made.block.population();
      FilterRanking ranking(comm, made.filter, population.items, made.block.item_blocks, choice);
      const auto& table = made.block.interactions;
      std::vector<std::int64_t> chosen;
      PairTable wanted;
      wanted.row_begin.assign(1, 0);
      for (std::int64_t u = 0; u < table.rows(); ++u) {
        const auto user = made.block.user_blocks.begin(comm.rank()) + u;
        if (user % 4 == 0) {
          chosen.push_back(u);
          wanted.other.push_back(-1);
          for (auto i = user % 7; i < whole.item_count(); i += 1 + user % 11) wanted.other.push_back(i);
        }
        wanted.row_begin.push_back(std::ssize(wanted.other));
      }
      FilterSignals signals;
      signals.items = &table;
      signals.excluded = &table;
      signals.rows = population.users;
      signals.chosen = &chosen;
      const auto lists = weights.size() * static_cast<std::size_t>(table.rows());
      for (const std::int64_t k : {1, 20, 400}) {
        SCOPED_TRACE(testing::Message() << "listed " << listed << ", cut " << cut << ", k " << k);
        std::vector<std::vector<std::int64_t>> expected(lists);
        ranking.rank(signals, {0.02, 0.3, weights}, k,
                     [&](std::size_t w, std::int64_t row, std::span<const ScoredItem> best) {
                       for (std::size_t r = 0; r < best.size(); ++r) {
                         if (std::ranges::binary_search(wanted.row(row), best[r].item)) {
                           expected[w * table.rows() + row].push_back(static_cast<std::int64_t>(r));
                         }
                       }
                     });
        std::vector<std::vector<std::int64_t>> found(lists);
        ranking.find(signals, {0.02, 0.3, weights}, k, wanted,
                     [&](std::size_t w, std::int64_t row, std::span<const std::int64_t> places) {
                       found[w * table.rows() + row].assign(places.begin(), places.end());
                     });
        EXPECT_EQ(found, expected);
        std::size_t hits = 0;
        for (const auto& places : expected) hits += places.size();
        EXPECT_GT(comm.sum(hits), 10U);
      }
    }
  }
}

// What is learnt and every list, of all ranks.
struct Everything {
  std::vector<double> numbers;
  std::vector<ScoredItem> items;
};

Everything everything(const Communicator& comm, const WholePopulation& whole) {
  const auto made = make_case(comm, whole, EdgeWeighting::raw, 0);
  auto population = made.block.population();
  population.filter = &made.filter;
  const auto validation = made.block.validation(comm, made.block.interactions, 3);
  Dataset dataset;
  dataset.users.distribution = made.block.user_blocks;
  dataset.items.distribution = made.block.item_blocks;
  dataset.interactions = validation.held.left;
  const auto blocks = bipartite_graph(comm, dataset, made.filter.weighting);
  const auto left =
      filter_graph(comm, blocks, shard(comm, blocks, Distribution::even(test_shards, comm.size())).graph, {});
  RecommendOptions options;
  options.validation = &validation;
  options.filter = &left;
  options.seed = 3;
  const auto model = fit_recommendations(comm, population, options);
  Everything all;
  all.numbers = {model.filter_ridge, model.filter_power, model.filter_weight,
                 model.filter_ndcg,  model.filter_gain,  model.filter_error};
  for (const auto strategy : {Strategy::filter, Strategy::hybrid}) {
    std::vector<std::vector<ScoredItem>> best(made.block.segment.size());
    recommend_to_users(
        comm, population, model, strategy, 7, nullptr,
        [&](std::int64_t user, std::span<const ScoredItem> list) { best[user].assign(list.begin(), list.end()); });
    std::vector<ScoredItem> mine;
    for (const auto& list : best) mine.insert(mine.end(), list.begin(), list.end());
    const auto joined = comm.all_gather(std::span<const ScoredItem>(mine)).data;
    all.items.insert(all.items.end(), joined.begin(), joined.end());
    const auto lists = recommend_to_segments(comm, population, model, strategy, 7);
    for (std::size_t i = 0; i < lists.item.size(); ++i) all.items.push_back({lists.score[i], lists.item[i]});
  }
  return all;
}

TEST(Filter, TheBitsAreThoseOfOneRank) {
  const auto whole = whole_population(150, 45, 10, 4, false, 6);
  const auto together = everything(Communicator::world(), whole);
  const auto alone = everything(Communicator::self(), whole);
  EXPECT_EQ(together.numbers, alone.numbers);
  ASSERT_EQ(together.items.size(), alone.items.size());
  for (std::size_t i = 0; i < alone.items.size(); ++i) {
    ASSERT_EQ(together.items[i].item, alone.items[i].item) << i;
    ASSERT_EQ(together.items[i].score, alone.items[i].score) << i;
  }
}

// Users have items of a group that is no segment. The embedding knows nothing, or everything that is held back.
TEST(FilterChoice, TakesTheFilterWhereItIsBetterAndTheEmbeddingWhereThatIs) {
  const auto comm = Communicator::world();
  for (const bool knowing : {false, true}) {
    auto whole = whole_population(400, 60, 60, 5, false, 9);
    std::mt19937 random(4);
    for (std::int64_t u = 0; u < whole.user_count(); ++u) {
      whole.interactions[u].clear();
      for (std::int64_t i = 0; i < whole.item_count(); ++i) {
        const bool own = i % 4 == u % 4;
        if (random() % 10 < (own ? 6U : 1U)) whole.interactions[u].push_back(i);
      }
    }
    whole.count();
    const auto held = reference_pairs(whole, 3).held;
    for (std::int64_t i = 0; knowing && i < whole.item_count(); ++i) {
      for (std::int64_t c = 0; c < whole.columns; ++c) whole.items[i][c] = i == c ? 1.0F : 0.0F;
    }
    for (std::int64_t u = 0; knowing && u < whole.user_count(); ++u) {
      std::ranges::fill(whole.users[u], 0.0F);
      for (const auto i : held[u]) whole.users[u][i] = 1;
    }
    const auto made = make_case(comm, whole, EdgeWeighting::binary, 0);
    const auto validation = made.block.validation(comm, made.block.interactions, 3);
    Dataset dataset;
    dataset.users.distribution = made.block.user_blocks;
    dataset.items.distribution = made.block.item_blocks;
    dataset.interactions = validation.held.left;
    const auto blocks = bipartite_graph(comm, dataset, {});
    const auto left =
        filter_graph(comm, blocks, shard(comm, blocks, Distribution::even(test_shards, comm.size())).graph, {});
    RecommendOptions options;
    options.validation = &validation;
    options.filter = &left;
    options.seed = 3;
    const auto model = fit_recommendations(comm, made.block.population(), options);
    EXPECT_GT(model.filter_users, 100);
    if (knowing) {
      EXPECT_EQ(model.best, Strategy::personal);
      EXPECT_LE(model.filter_gain, -model.filter_error);
    } else {
      EXPECT_TRUE(is_filtered(model.best)) << name_of(model.best);
      EXPECT_GT(model.filter_gain, model.filter_error);
    }
  }
}

TEST(FilterChoice, NothingHeldBackLeavesThePersonalOne) {
  const auto comm = Communicator::world();
  auto whole = whole_population(12, 9, 10, 3, false, 4);
  for (auto& list : whole.interactions) {
    while (list.size() > 1) list.pop_back();
  }
  whole.count();
  const auto made = make_case(comm, whole, EdgeWeighting::binary, 0);
  const auto validation = made.block.validation(comm, made.block.interactions, 3);
  RecommendOptions options;
  options.validation = &validation;
  options.filter = &made.filter;
  const auto model = fit_recommendations(comm, made.block.population(), options);
  EXPECT_EQ(model.best, Strategy::personal);
  EXPECT_EQ(model.filter_users, 0);
  EXPECT_EQ(model.filter_ridge, 0);
  EXPECT_EQ(model.filter_power, 0.3);
  EXPECT_EQ(model.filter_weight, 2);
}

}  // namespace
}  // namespace cohort
