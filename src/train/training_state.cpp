#include "train/training_state.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/error.hpp"

namespace cohort {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw InputError("the checkpoint is none of this model: " + what);
}

// Calls visit(mine, value of `saved`) for all names, which must be the same.
template <class Mine, class Saved, class Visit>
void in_pairs(const Mine& mine, const Saved& saved, Visit visit) {
  for (const auto& [name, value] : saved) {
    if (!mine.contains(name)) refuse("it has " + name);
  }
  for (const auto& [name, place] : mine) {
    const auto found = saved.find(name);
    if (found == saved.end()) refuse("it has no " + name);
    visit(name, place, found->second);
  }
}

void copy_matrix(const std::string& name, MatrixView place, const Matrix& saved) {
  if (saved.rows() != place.rows || saved.columns() != place.columns) refuse(name + " has another shape");
  std::copy_n(saved.view().data, place.rows * place.stride, place.data);
}

}  // namespace

void TrainingState::restore(const SavedState& saved) const {
  in_pairs(rows, saved.rows, copy_matrix);
  in_pairs(replicated, saved.replicated, copy_matrix);
  in_pairs(numbers, saved.numbers, [](const std::string& name, const auto& place, double value) {
    if (double* const* const real = std::get_if<double*>(&place)) {
      if (!std::isfinite(value)) refuse(name + " is no number");
      **real = value;
      return;
    }
    constexpr double exact = 0x1p53;
    if (!(std::fabs(value) <= exact) || value != std::floor(value)) refuse(name + " is no whole number");
    *std::get<std::int64_t*>(place) = static_cast<std::int64_t>(value);
  });
}

std::map<std::string, double> TrainingState::saved_numbers() const {
  std::map<std::string, double> result;
  for (const auto& [name, place] : numbers) {
    result[name] = std::visit([](const auto* value) { return static_cast<double>(*value); }, place);
  }
  return result;
}

}  // namespace cohort
