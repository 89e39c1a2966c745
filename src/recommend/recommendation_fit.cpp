#include <limits>
#include <utility>

#include "core/error.hpp"
#include "recommend/blend.hpp"
#include "recommend/filter_choice.hpp"
#include "recommend/recommendation.hpp"

namespace cohort {

namespace {

// m, and with an embedding that has not seen the pairs the blend's weight. Returns NDCG@20 of each of this rank's users
// with that weight, where there is such an embedding.
std::vector<double> fit_segments(const Communicator& comm, const Population& population,
                                 const RecommendOptions& options, RecommendModel& model) {
  const bool trained = options.validation != nullptr;
  HeldBack drawn;
  if (!trained) {
    drawn = hold_back(comm, *population.interactions, *population.user_blocks, *population.item_blocks, options.seed);
  }
  const auto& held = trained ? options.validation->held : drawn;
  model.validation_pairs = comm.sum(held.pairs.size());
  model.validation_users = comm.sum(held.users());
  if (model.validation_pairs == 0) {
    model.validation_ndcg = std::numeric_limits<double>::quiet_NaN();
    return {};
  }
  if (!trained) {
    const auto counts =
        count_items(comm, held.left, population.segment, population.segments(), *population.item_blocks);
    model.smoothing = choose_smoothing(comm, counts, held.pairs, stand_in_segments(comm, population, held, counts));
    return {};
  }
  const auto& validation = *options.validation;
  const auto counts = count_items(comm, held.left, validation.segment, validation.segments, *population.item_blocks);
  model.smoothing = choose_smoothing(comm, counts, held.pairs, validation.segment);
  const auto choice = choose_items(comm, model.counts, validation.items.view(), options.min_support, options.allowed);
  auto chosen = choose_weight(comm, validation, counts, choice, model.smoothing);
  model.blend_weight = chosen.weight;
  model.validation_ndcg = chosen.ndcg;
  model.best_weight = chosen.best_weight;
  model.best_gain = chosen.gain;
  model.gain_error = chosen.standard_error;
  if (model.blend_weight > 0) model.best = Strategy::blend;
  return std::move(chosen.ndcg_of_user);
}

}  // namespace

double fit_smoothing(const Communicator& comm, const Population& population, const Validation* validation,
                     std::uint64_t seed) {
  HeldBack drawn;
  if (!validation) {
    drawn = hold_back(comm, *population.interactions, *population.user_blocks, *population.item_blocks, seed);
  }
  const auto& held = validation ? validation->held : drawn;
  if (comm.sum(held.pairs.size()) == 0) return no_segments;
  if (validation) {
    const auto counts =
        count_items(comm, held.left, validation->segment, validation->segments, *population.item_blocks);
    return choose_smoothing(comm, counts, held.pairs, validation->segment);
  }
  const auto counts = count_items(comm, held.left, population.segment, population.segments(), *population.item_blocks);
  return choose_smoothing(comm, counts, held.pairs, stand_in_segments(comm, population, held, counts));
}

RecommendModel fit_recommendations(const Communicator& comm, const Population& population,
                                   const RecommendOptions& options) {
  RecommendModel model;
  model.counts =
      count_items(comm, *population.interactions, population.segment, population.segments(), *population.item_blocks);
  model.choice = choose_items(comm, model.counts, population.items, options.min_support, options.allowed);
  std::vector<double> without;
  if (options.smoothing) without = fit_segments(comm, population, options, model);
  if (!options.filter) return model;
  COHORT_CHECK(options.validation != nullptr);
  FilterQuestion question;
  question.validation = options.validation;
  question.graph = options.filter;
  question.choice = &model.choice;
  question.user_blocks = population.user_blocks;
  question.item_blocks = population.item_blocks;
  question.alone = options.filter_alone;
  question.beside = options.hybrid;
  question.seed = options.seed;
  if (options.smoothing) question.without = &without;
  const auto answer = choose_filter(comm, question);
  model.filter_ridge = answer.ridge;
  model.filter_power = answer.power;
  if (options.hybrid) model.filter_weight = answer.weight;
  model.filter_users = answer.users;
  model.filter_ndcg = answer.ndcg;
  model.filter_gain = answer.gain;
  model.filter_error = answer.standard_error;
  if (answer.users > 0 && answer.gain > -answer.standard_error) {
    model.best = answer.alone ? Strategy::filter : Strategy::hybrid;
  }
  return model;
}

}  // namespace cohort
