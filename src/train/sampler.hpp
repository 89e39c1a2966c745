// Draws the triples (user, positive, negative) that an epoch trains on, each on the rank that owns its user. For the
// trainer, and for tests.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "graph/shard_graph.hpp"
#include "train/positives.hpp"

namespace cohort {

/// Triples a step: `configured`, or for 0 ("auto") max(2048, ceil(positives / 64)).
std::int64_t batch_size(std::int64_t configured, std::int64_t positives);

struct Triple {
  std::int64_t number = 0;  ///< within the epoch; step number / batch trains it
  LocalRow user;            ///< an owned row
  Position positive;
  Position negative;
};

/// The triples of this rank's users in some consecutive steps.
struct StepTriples {
  std::int64_t first_step = 0;
  std::vector<Triple> triple;            ///< by number
  std::vector<std::int64_t> step_begin;  ///< steps + 1

  std::int64_t steps() const { return std::ssize(step_begin) - 1; }
  std::span<const Triple> of(std::int64_t step) const {
    const auto s = static_cast<std::size_t>(step);
    return std::span<const Triple>(triple).subspan(step_begin[s], places_of(step_begin, s).size());
  }
};

/// An epoch has positives.total triples, numbered from 0, in steps of `batch`; the last one may be shorter. A triple is
/// a function of (seed, epoch, number) alone. Its negative is uniform over the user's negatives (Rendle et al. 2009);
///   sampler "interactions": every positive once, in random order;
///   sampler "lightgcn": a uniform user with positives and a uniform one of them, as the authors of LightGCN do.
class TripleSampler {
 public:
  /// Throws InputError where there is nothing to train on. The arguments must outlive it. Collective.
  TripleSampler(const Communicator& comm, const ShardGraph& graph, const NodeDirectory& directory,
                const Positives& positives, const TrainConfig& config);

  std::int64_t batch() const { return batch_; }
  std::int64_t triples() const { return positives_.total; }  ///< of all ranks, an epoch
  std::int64_t steps() const { return (triples() + batch_ - 1) / batch_; }
  /// Epochs count from 1. Collective.
  void begin_epoch(std::int64_t epoch);
  /// Steps [first, last) of the epoch. Collective.
  StepTriples draw(std::int64_t first, std::int64_t last) const;

 private:
  /// A triple without its negative: the positive is the user's k-th.
  struct Pick {
    std::int64_t number = 0;
    LocalRow user;
    std::int32_t k = 0;
  };
  struct NumberedUser {
    std::int64_t number = 0;
    LocalRow row;
  };
  struct Picks {
    std::vector<Pick> pick;
    std::vector<std::int64_t> step_begin;
  };

  Picks by_step(std::span<const Pick> picks, std::int64_t first, std::int64_t last) const;
  void find_owners();
  std::vector<Pick> draw_users(std::int64_t first, std::int64_t last) const;
  StepTriples with_negatives(std::span<const Pick> picks, std::vector<std::int64_t> step_begin,
                             std::int64_t first) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  const NodeDirectory& directory_;
  const Positives& positives_;
  std::int64_t batch_;
  std::uint64_t seed_;
  bool every_positive_once_;
  std::uint32_t epoch_ = 0;
  std::vector<NumberedUser> user_;           ///< owned users that can be sampled, by user_number
  std::vector<Position> positive_position_;  ///< of positives_.node
  Picks order_;                              ///< "interactions": all own picks of the epoch
  Distribution numbered_users_;              ///< "lightgcn": even blocks of user numbers,
  std::vector<std::int32_t> owner_;          ///< and the ranks that own the users of this rank's block
};

}  // namespace cohort
