#include "cli/output/result_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cohort {

namespace {

constexpr std::size_t epochs_averaged = 3;
constexpr std::int64_t epochs_above = 3;

}  // namespace

double loss_fall(std::span<const double> loss) {
  if (loss.size() < 2) return 0;
  const auto epochs = std::min(epochs_averaged, loss.size() - 1);
  const double before = loss[loss.size() - 1 - epochs];
  return before == 0 ? 0 : (before - loss.back()) / std::fabs(before) / static_cast<double>(epochs);
}

std::int64_t loss_rose(std::span<const double> loss) {
  std::int64_t above = 0;
  for (std::size_t epoch = 1; epoch < loss.size(); ++epoch) {
    above = loss[epoch] > loss.front() ? above + 1 : 0;
    if (above == epochs_above) return static_cast<std::int64_t>(epoch) + 1;
  }
  return 0;
}

std::string loss_warning(std::span<const double> loss) {
  const auto epoch = loss_rose(loss);
  if (epoch == 0) return "";
  return fmt::format(
      "in epochs {} to {} the loss was above that of the first epoch ({:.6g}): training diverged; set a "
      "smaller train.learning_rate",
      epoch - epochs_above + 1, epoch, loss.front());
}

std::vector<std::string> result_notes(double silhouette, std::optional<double> activity_share,
                                      std::span<const double> loss) {
  std::vector<std::string> notes;
  if (silhouette < low_silhouette) {
    notes.push_back(
        fmt::format("the silhouette is {:.3f}, below {}: segments shade into each other, and where they are "
                    "cut is partly arbitrary",
                    silhouette, low_silhouette));
  }
  if (activity_share && *activity_share > high_activity_share) {
    notes.push_back(
        fmt::format("segments explain {:.0f} % of the variance of log activity, more than {:.0f} %: they are "
                    "partly levels of activity, not of taste",
                    100 * *activity_share, 100 * high_activity_share));
  }
  if (const double fall = loss_fall(loss); fall > still_falling) {
    notes.push_back(
        fmt::format("the loss was still falling by {:.1f} % an epoch when training ended after epoch {}; set "
                    "more train.epochs",
                    100 * fall, loss.size()));
  }
  if (auto warning = loss_warning(loss); !warning.empty()) notes.push_back(std::move(warning));
  return notes;
}

}  // namespace cohort
