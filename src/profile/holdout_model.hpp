// What held-out interactions would be like if segments meant nothing: the null hypothesis that marking is tested
// against. Given what a user was trained on (which the segments may depend on in any way), how many interactions of the
// user were held out, and how popular each item is, the held-out items are drawn from those the user was not trained
// on.
//
// This is the bipartite configuration model (Saracco et al. 2015, "Randomizing bipartite networks: the case of the
// World Trade Web", eq. 5) on the pairs that are not trained: user u has item i with odds a_u b_i. Fisher's plain test
// would take every held-out interaction for equally likely to be any item; a segment of very active users, who have the
// popular items already, would then seem to be marked by all the others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/index_plan.hpp"
#include "data/dataset.hpp"
#include "data/distinct.hpp"
#include "profile/tally.hpp"

namespace cohort {

/// Degrees by class: each its own below 16, then four an octave.
std::uint8_t degree_class(std::int64_t degree);

class HoldoutModel {
 public:
  /// trained: users by (item, segment). Held-out pairs that are also trained, or of unknown items, are left out.
  /// Collective. `comm`, `dataset` and `trained` must outlive the model.
  HoldoutModel(const Communicator& comm, const Dataset& dataset, std::span<const std::int32_t> segment,
               std::int64_t segments, const SegmentTally& trained);

  /// Held-out interactions that count, over all ranks.
  std::int64_t total() const { return total_; }

  /// Different items of this rank's trained and held-out interactions, ascending; the places below refer to them.
  const std::vector<std::int64_t>& items() const { return items_.values; }
  const IndexPlan& plan() const { return *plan_; }
  /// Of this rank's k-th user.
  std::span<const std::uint32_t> trained(std::int64_t user) const;
  std::span<const std::uint32_t> held_out(std::int64_t user) const;

  /// Users go by levels of a_u; a user of whom nothing is held out has none (-1).
  std::int32_t level(std::int64_t user) const { return level_[user]; }
  std::int64_t levels() const { return std::ssize(level_value_); }
  /// a_u of a level: the mean over its users. The same on all ranks, as all below.
  std::span<const double> level_value() const { return level_value_; }
  /// Users of every level: of one segment, and of all.
  std::span<const std::int64_t> users_of(std::int64_t segment) const;
  std::span<const std::int64_t> all_users() const { return all_users_; }

  /// Items go by classes of how often they occur, trained and held out. Class of an item by place, and by the row of
  /// this rank's block.
  std::uint8_t class_at(std::uint32_t place) const { return class_at_place_[place]; }
  std::uint8_t class_of_row(std::int64_t row) const { return class_of_row_[row]; }
  /// b_i of a class; 0 where no item is of it.
  std::span<const double> class_value() const { return class_value_; }

 private:
  void read_pairs(const Dataset& dataset);
  void weigh_items(const SegmentTally& trained);
  void weigh_users(std::span<const std::int32_t> segment, std::int64_t segments);

  const Communicator& comm_;
  std::int64_t total_ = 0;
  Distinct items_;  // of trained, then of held-out interactions
  std::optional<IndexPlan> plan_;
  std::vector<std::int64_t> trained_begin_;
  std::vector<std::int64_t> held_begin_;  // into items_.place, after the trained ones
  std::vector<std::uint8_t> class_at_place_;
  std::vector<std::uint8_t> class_of_row_;
  std::vector<std::int64_t> class_items_;
  std::vector<double> class_value_;
  std::vector<std::int32_t> level_;
  std::vector<double> level_value_;
  std::vector<std::int64_t> users_of_;  // segments x levels
  std::vector<std::int64_t> all_users_;
};

/// The probability at odds `odds`.
inline double from_odds(double odds) {
  return odds / (1 + odds);
}

}  // namespace cohort
