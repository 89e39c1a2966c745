// Which rows a training step touches on this rank, and what travels between ranks for its triples: settled for many
// steps at a time, so that a step itself needs no collective call. For the trainer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/row_exchange.hpp"
#include "graph/shard_graph.hpp"
#include "model/propagation.hpp"
#include "train/sampler.hpp"

namespace cohort {

/// The part that a row has in a triple. In the order in which the parts of a triple are added up.
enum class Role : std::int32_t { user = 0, positive = 1, negative = 2 };

/// One step. Its embedding matrix has the touched rows first (as `rows()` orders them), then the fetched ones; its
/// gradient matrix the touched rows, then the touched ghosts. A row is touched where a triple of any rank has it.
struct StepPlan {
  /// An own triple by rows of the embedding matrix.
  struct Slots {
    std::int32_t user;
    std::int32_t positive;
    std::int32_t negative;
  };
  /// The part of a remote row in an own triple (positive or negative).
  struct RemotePart {
    std::int32_t triple;
    Role role;
  };
  /// What one triple adds to a row's gradient: role `source % 3` of own triple `source / 3`, or for a triple of another
  /// rank row `-1 - source` of what comes by `give_back`.
  using Source = std::int32_t;

  std::int64_t triples = 0;             ///< of all ranks
  std::vector<Slots> own;               ///< by number
  std::vector<std::int32_t> own_shard;  ///< this rank's shard of each one's user, counted from the rank's first
  std::vector<LocalRow> touched;        ///< ascending
  std::vector<std::int32_t> touched_shard;
  std::vector<std::int32_t> slot;             ///< their rows of both matrices
  std::vector<std::int64_t> source_begin{0};  ///< touched + 1
  std::vector<Source> source;                 ///< within a row by (triple, role), over all ranks
  std::vector<LocalRow> interior;
  std::vector<LocalRow> boundary;
  std::vector<std::int64_t> interior_begin{0};
  std::vector<std::int64_t> boundary_begin{0};
  std::vector<LocalRow> ghost;     ///< touched ghosts, ascending
  std::vector<RemotePart> remote;  ///< what goes back, by (owner, triple, role)
  ExchangePlan fetch;              ///< embedding rows -> embedding rows after the touched ones
  ExchangePlan give_back;          ///< gradients of `remote` -> what `source` refers to
  ExchangePlan halo;               ///< gradient rows -> those of the ghosts

  RowSelection rows() const { return {interior, interior_begin, boundary, boundary_begin}; }
  std::int64_t fetched() const { return fetch.received_rows(); }
};

class StepPlanner {
 public:
  /// `graph` and `sampler` must outlive it. Collective.
  StepPlanner(const Communicator& comm, const ShardGraph& graph, const TripleSampler& sampler, int threads);

  /// Draws and plans steps [first, last) of the sampler's epoch. Collective.
  std::vector<StepPlan> plan(std::int64_t first, std::int64_t last);

 private:
  /// A part that another rank's row has in a triple.
  struct Request {
    std::int64_t key;  ///< 3 * triple + role
    Position row;
  };
  /// Touched rows among those that the halo sends, as places in each neighbour's part of graph.halo.send_rows.
  struct TouchedHalo {
    std::vector<std::int32_t> place;
    std::vector<std::int64_t> begin{0};  ///< graph.halo.send_to + 1
  };
  struct TouchedGhost {
    std::int32_t step;
    std::int32_t place;
  };

  bool owns(Position position) const;
  Bucketed<Request> remote_parts(const StepTriples& drawn) const;
  std::span<const Request> of_step(std::span<const Request> requests, std::int64_t step) const;
  void plan_step(std::span<const Triple> triples, std::int64_t step, const Bucketed<Request>& sent,
                 const Gathered<Request>& asked, std::vector<std::int32_t>& mark, StepPlan& plan,
                 TouchedHalo& halo) const;
  void place_sources(std::span<const Triple> triples, std::span<const Request> asked, std::vector<std::int32_t>& mark,
                     StepPlan& plan) const;
  void place_rows(std::vector<std::int32_t>& mark, StepPlan& plan) const;
  void place_triples(std::span<const Triple> triples, const std::vector<std::int32_t>& mark, StepPlan& plan) const;
  void plan_remote(std::span<const Triple> triples, std::int64_t step, const Bucketed<Request>& sent,
                   StepPlan& plan) const;
  void tell_ghosts(std::span<const TouchedHalo> halos, std::span<StepPlan> plans) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  const TripleSampler& sampler_;
  int threads_;
  std::vector<std::uint8_t> is_boundary_;         ///< owned rows
  std::vector<std::int32_t> shard_;               ///< of owned rows, counted from this rank's first
  std::vector<std::vector<std::int32_t>> marks_;  ///< by thread: owned rows, zero between steps
};

}  // namespace cohort
