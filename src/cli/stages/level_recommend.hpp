// Recommendations by the segments of one of several nested levels. Levels are counted from 1, the coarsest; 0 is the
// finest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "recommend/recommendation.hpp"
#include "result/segments.hpp"

namespace cohort {

/// The users of a result with the segments of a level in the place of the finest.
class LevelPopulation {
 public:
  /// population: of these users; result: their segments, which must outlive this. Collective.
  LevelPopulation(const Communicator& comm, const Population& population, const Segments& result, std::int64_t level);
  LevelPopulation(const LevelPopulation&) = delete;
  LevelPopulation& operator=(const LevelPopulation&) = delete;

  Population& get() { return population_; }
  const Population& get() const { return population_; }

 private:
  std::vector<std::int32_t> segment_;
  Population population_;
};

/// A validation's segments, of which those of one level are looked at.
class LevelValidation {
 public:
  explicit LevelValidation(Validation validation);

  /// With the segments of that level. Collective.
  const Validation& at(const Communicator& comm, std::int64_t level);

 private:
  Validation validation_;
  std::vector<std::int32_t> finest_;
};

/// Makes the model one of the segments of another level: counts and smoothing m. Collective.
void take_level(const Communicator& comm, const Population& population, double smoothing, RecommendModel& model);

}  // namespace cohort
