// What the parts of training keep from step to step, by name and where it stands: a checkpoint copies it, going on from
// one writes into it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "core/matrix.hpp"
#include "core/saved_state.hpp"

namespace cohort {

/// Valid as long as the part that it is of.
struct TrainingState {
  std::map<std::string, MatrixView> rows;                               ///< this rank's owned rows, in their order
  std::map<std::string, MatrixView> replicated;                         ///< the same on all ranks
  std::map<std::string, std::variant<std::int64_t*, double*>> numbers;  ///< the same on all ranks

  /// Throws InputError, the same on all ranks, where `saved` lacks something of this, has something else, or has it in
  /// another shape. saved.rows: owned rows. Local.
  void restore(const SavedState& saved) const;
  /// The numbers as a checkpoint has them. Local.
  std::map<std::string, double> saved_numbers() const;
};

}  // namespace cohort
