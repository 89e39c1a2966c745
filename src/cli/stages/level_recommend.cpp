#include "cli/stages/level_recommend.hpp"

#include <algorithm>

#include "cli/stages/level_stage.hpp"

namespace cohort {

LevelPopulation::LevelPopulation(const Communicator& comm, const Population& population, const Segments& result,
                                 std::int64_t level)
    : population_(population) {
  const bool above = level > 0 && level <= std::ssize(result.levels);
  comm.attempt([&] { segment_ = segments_of_level(result, level); });
  population_.segment = segment_;
  population_.centroid = above ? result.levels[level - 1].centroid.view() : result.centroid.view();
}

LevelValidation::LevelValidation(Validation validation)
    : validation_(std::move(validation)), finest_(validation_.segment) {}

const Validation& LevelValidation::at(const Communicator& comm, std::int64_t level) {
  const bool above = level > 0 && level <= std::ssize(validation_.above);
  comm.attempt([&] {
    validation_.segment = finest_;
    if (!above) return;
    for (auto& segment : validation_.segment) segment = validation_.above[level - 1][segment];
  });
  if (!validation_.above.empty()) {
    const auto& names = validation_.above[above ? level - 1 : 0];
    validation_.segments = above ? 1 + *std::ranges::max_element(names) : static_cast<std::int32_t>(names.size());
  }
  return validation_;
}

void take_level(const Communicator& comm, const Population& population, double smoothing, RecommendModel& model) {
  model.counts =
      count_items(comm, *population.interactions, population.segment, population.segments(), *population.item_blocks);
  model.smoothing = smoothing;
}

}  // namespace cohort
