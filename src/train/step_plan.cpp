#include "train/step_plan.hpp"

#include <omp.h>

#include <algorithm>
#include <limits>

#include "core/parallel.hpp"
#include "core/ragged.hpp"

namespace cohort {

namespace {

std::int32_t narrow(std::int64_t value) {
  return static_cast<std::int32_t>(value);
}

std::int64_t key_of(const Triple& triple, Role role) {
  return 3 * triple.number + static_cast<std::int64_t>(role);
}

// Adds what one rank sends, or receives, to a plan, unless it is nothing.
void add_part(int rank, std::int64_t rows, std::vector<int>& ranks, std::vector<std::int64_t>& begin) {
  if (rows == 0) return;
  ranks.push_back(rank);
  begin.push_back(begin.back() + rows);
}

void start_plan(ExchangePlan& plan) {
  plan.send_begin.assign(1, 0);
  plan.receive_begin.assign(1, 0);
}

void sort_unique(std::vector<std::int64_t>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

StepPlanner::StepPlanner(const Communicator& comm, const ShardGraph& graph, const TripleSampler& sampler, int threads)
    : comm_(comm), graph_(graph), sampler_(sampler), threads_(threads) {
  comm.attempt([&] {
    const auto owned = static_cast<std::size_t>(graph.owned());
    is_boundary_.assign(owned, 0);
    for (const LocalRow row : graph.boundary) is_boundary_[row.value] = 1;
    shard_.reserve(owned);
    for (std::int32_t k = 0; std::cmp_less(k, graph.layout.shards_of_rank.count(comm.rank())); ++k) {
      shard_.resize(graph.shard_first_row(comm.rank(), k + 1), k);
    }
    marks_.assign(threads, std::vector<std::int32_t>(owned, 0));
  });
}

bool StepPlanner::owns(Position position) const {
  return position.value >= graph_.positions.begin(comm_.rank()) && position.value < graph_.positions.end(comm_.rank());
}

// The parts of rows of other ranks in own triples, by (owner, triple, role).
Bucketed<StepPlanner::Request> StepPlanner::remote_parts(const StepTriples& drawn) const {
  std::vector<Request> requests;
  for (const auto& triple : drawn.triple) {
    if (!owns(triple.positive)) requests.push_back({key_of(triple, Role::positive), triple.positive});
    if (!owns(triple.negative)) requests.push_back({key_of(triple, Role::negative), triple.negative});
  }
  return bucket_by(std::span<const Request>(requests), comm_.size(),
                   [&](const Request& request) { return graph_.positions.owner(request.row.value); });
}

// Those of one step of the epoch among some that are ordered by key.
std::span<const StepPlanner::Request> StepPlanner::of_step(std::span<const Request> requests, std::int64_t step) const {
  const auto from = [&](std::int64_t s) {
    return std::ranges::lower_bound(requests, 3 * s * sampler_.batch(), {}, &Request::key) - requests.begin();
  };
  const auto first = from(step);
  return requests.subspan(first, from(step + 1) - first);
}

std::vector<StepPlan> StepPlanner::plan(std::int64_t first, std::int64_t last) {
  const auto drawn = sampler_.draw(first, last);
  Bucketed<Request> sent;
  comm_.attempt([&] {
    if (comm_.size() > 1) {
      sent = remote_parts(drawn);
    } else {
      sent.begin.assign(2, 0);
    }
  });
  const auto asked = comm_.exchange(std::span<const Request>(sent.data), std::span<const std::int64_t>(sent.begin));
  std::vector<StepPlan> plans;
  std::vector<TouchedHalo> halos;
  comm_.attempt([&] {
    plans.resize(last - first);
    halos.resize(plans.size());
    const std::int64_t most = std::numeric_limits<std::int32_t>::max() / 4;
    for (std::int64_t s = 0; s < drawn.steps(); ++s) {
      if (std::ssize(drawn.of(s)) + std::ssize(asked.data) > most) {
        throw RunError("a step has too many triples for one rank; make train.batch smaller or use more ranks");
      }
    }
    ParallelFailure failure;
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
    for (std::size_t s = 0; s < plans.size(); ++s) {
      failure.run([&] {
        const std::int64_t step = first + static_cast<std::int64_t>(s);
        plans[s].triples = std::min(sampler_.batch(), sampler_.triples() - step * sampler_.batch());
        plan_step(drawn.of(static_cast<std::int64_t>(s)), step, sent, asked, marks_[omp_get_thread_num()], plans[s],
                  halos[s]);
      });
    }
    failure.rethrow();
  });
  tell_ghosts(halos, plans);
  return plans;
}

void StepPlanner::plan_step(std::span<const Triple> triples, std::int64_t step, const Bucketed<Request>& sent,
                            const Gathered<Request>& asked, std::vector<std::int32_t>& mark, StepPlan& plan,
                            TouchedHalo& halo) const {
  for (auto* exchange : {&plan.fetch, &plan.give_back, &plan.halo}) start_plan(*exchange);
  std::vector<Request> requests;
  std::vector<std::int64_t> requests_begin{0};  // by rank
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const auto part = of_step(asked.from(rank), step);
    requests.insert(requests.end(), part.begin(), part.end());
    requests_begin.push_back(std::ssize(requests));
  }
  place_sources(triples, requests, mark, plan);
  place_rows(mark, plan);
  place_triples(triples, mark, plan);
  plan_remote(triples, step, sent, plan);

  const std::int64_t first = graph_.positions.begin(comm_.rank());
  std::vector<std::int64_t> rows;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    rows.clear();
    for (const auto k : places_of(requests_begin, r)) rows.push_back(requests[k].row.value - first);
    add_part(rank, std::ssize(rows), plan.give_back.receive_from, plan.give_back.receive_begin);
    sort_unique(rows);
    add_part(rank, std::ssize(rows), plan.fetch.send_to, plan.fetch.send_begin);
    for (const auto row : rows) plan.fetch.send_rows.push_back(mark[row] - 1);
  }
  for (std::size_t neighbour = 0; neighbour < graph_.halo.send_to.size(); ++neighbour) {
    const std::int64_t begin = graph_.halo.send_begin[neighbour];
    for (auto k = begin; k < graph_.halo.send_begin[neighbour + 1]; ++k) {
      const std::int32_t slot = mark[graph_.halo.send_rows[k]] - 1;
      if (slot < 0) continue;
      plan.halo.send_rows.push_back(slot);
      halo.place.push_back(narrow(k - begin));
    }
    halo.begin.push_back(std::ssize(halo.place));
    add_part(graph_.halo.send_to[neighbour], halo.begin.back() - halo.begin[neighbour], plan.halo.send_to,
             plan.halo.send_begin);
  }
  for (const LocalRow row : plan.touched) mark[row.value] = 0;
}

// Finds the touched rows and what is added to each: a counting sort by row keeps the order of the own triples; parts
// that other ranks have are then merged in by their keys.
void StepPlanner::place_sources(std::span<const Triple> triples, std::span<const Request> asked,
                                std::vector<std::int32_t>& mark, StepPlan& plan) const {
  const std::int64_t first = graph_.positions.begin(comm_.rank());
  const auto each_part = [&](auto visit) {
    for (std::size_t i = 0; i < triples.size(); ++i) {
      const auto source = narrow(3 * static_cast<std::int64_t>(i));
      visit(static_cast<std::size_t>(triples[i].user.value), source);
      if (owns(triples[i].positive)) visit(static_cast<std::size_t>(triples[i].positive.value - first), source + 1);
      if (owns(triples[i].negative)) visit(static_cast<std::size_t>(triples[i].negative.value - first), source + 2);
    }
    for (std::size_t k = 0; k < asked.size(); ++k) {
      visit(static_cast<std::size_t>(asked[k].row.value - first), -1 - narrow(static_cast<std::int64_t>(k)));
    }
  };
  each_part([&](std::size_t row, StepPlan::Source) { ++mark[row]; });
  for (std::size_t row = 0; row < mark.size(); ++row) {
    if (mark[row] == 0) continue;
    plan.touched.emplace_back(narrow(static_cast<std::int64_t>(row)));
    plan.source_begin.push_back(plan.source_begin.back() + mark[row]);
    mark[row] = narrow(plan.source_begin.end()[-2]);
  }
  plan.source.resize(plan.source_begin.back());
  each_part([&](std::size_t row, StepPlan::Source source) { plan.source[mark[row]++] = source; });
  if (asked.empty()) return;
  const auto key = [&](StepPlan::Source source) {
    return source < 0 ? asked[-1 - source].key : 3 * triples[source / 3].number + source % 3;
  };
  for (std::size_t i = 0; i < plan.touched.size(); ++i) {
    const auto begin = plan.source.begin() + plan.source_begin[i];
    const auto end = plan.source.begin() + plan.source_begin[i + 1];
    if (end[-1] < 0) std::ranges::sort(begin, end, {}, key);
  }
}

// Interior rows first, then those of the boundary; leaves 1 + slot in the marks of the touched rows.
void StepPlanner::place_rows(std::vector<std::int32_t>& mark, StepPlan& plan) const {
  std::int32_t shard = 0;
  const auto close_shards = [&](std::int32_t until) {
    for (; shard < until; ++shard) {
      plan.interior_begin.push_back(std::ssize(plan.interior));
      plan.boundary_begin.push_back(std::ssize(plan.boundary));
    }
  };
  for (const LocalRow row : plan.touched) {
    close_shards(shard_[row.value]);
    plan.touched_shard.push_back(shard_[row.value]);
    (is_boundary_[row.value] != 0 ? plan.boundary : plan.interior).push_back(row);
  }
  close_shards(narrow(graph_.layout.shards_of_rank.count(comm_.rank())));
  std::int32_t slot = 0;
  for (const auto* list : {&plan.interior, &plan.boundary}) {
    for (const LocalRow row : *list) mark[row.value] = ++slot;
  }
  plan.slot.reserve(plan.touched.size());
  for (const LocalRow row : plan.touched) plan.slot.push_back(mark[row.value] - 1);
}

// Own triples by rows of the embedding matrix, and the plan by which the rows of other ranks get there.
void StepPlanner::place_triples(std::span<const Triple> triples, const std::vector<std::int32_t>& mark,
                                StepPlan& plan) const {
  std::vector<std::int64_t> wanted;
  for (const auto& triple : triples) {
    for (const Position position : {triple.positive, triple.negative}) {
      if (!owns(position)) wanted.push_back(position.value);
    }
  }
  sort_unique(wanted);
  auto place = wanted.begin();
  while (place != wanted.end()) {
    const int rank = graph_.positions.owner(*place);
    const auto end = std::lower_bound(place, wanted.end(), graph_.positions.end(rank));
    add_part(rank, end - place, plan.fetch.receive_from, plan.fetch.receive_begin);
    place = end;
  }
  const std::int64_t first = graph_.positions.begin(comm_.rank());
  const auto slot_of = [&](Position position) {
    if (owns(position)) return mark[position.value - first] - 1;
    return narrow(std::ssize(plan.touched) + (std::ranges::lower_bound(wanted, position.value) - wanted.begin()));
  };
  plan.own.reserve(triples.size());
  plan.own_shard.reserve(triples.size());
  for (const auto& triple : triples) {
    plan.own.push_back({mark[triple.user.value] - 1, slot_of(triple.positive), slot_of(triple.negative)});
    plan.own_shard.push_back(shard_[triple.user.value]);
  }
}

// What goes back to the owners of remote rows.
void StepPlanner::plan_remote(std::span<const Triple> triples, std::int64_t step, const Bucketed<Request>& sent,
                              StepPlan& plan) const {
  const std::span<const Request> all(sent.data);
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    const auto part = of_step(all.subspan(sent.begin[r], places_of(sent.begin, r).size()), step);
    add_part(rank, std::ssize(part), plan.give_back.send_to, plan.give_back.send_begin);
    for (const auto& request : part) {
      const auto triple = std::ranges::lower_bound(triples, request.key / 3, {}, &Triple::number) - triples.begin();
      plan.give_back.send_rows.push_back(narrow(std::ssize(plan.remote)));
      plan.remote.push_back({narrow(triple), Role{narrow(request.key % 3)}});
    }
  }
}

// Tells each neighbour which of its ghosts are touched, and with that the plans of the gradient's halo.
void StepPlanner::tell_ghosts(std::span<const TouchedHalo> halos, std::span<StepPlan> plans) const {
  const auto& halo = graph_.halo;
  std::vector<TouchedGhost> outgoing;
  std::vector<std::int64_t> begin(comm_.size() + 1, 0);
  comm_.attempt([&] {
    for (std::size_t neighbour = 0; neighbour < halo.send_to.size(); ++neighbour) {
      for (std::size_t step = 0; step < halos.size(); ++step) {
        for (auto k = halos[step].begin[neighbour]; k < halos[step].begin[neighbour + 1]; ++k) {
          outgoing.push_back({narrow(static_cast<std::int64_t>(step)), halos[step].place[k]});
        }
      }
      // Ranks between this neighbour and the next one are sent nothing.
      const int next = neighbour + 1 < halo.send_to.size() ? halo.send_to[neighbour + 1] : comm_.size();
      for (int rank = halo.send_to[neighbour]; rank < next; ++rank) begin[rank + 1] = std::ssize(outgoing);
    }
  });
  const auto came = comm_.exchange(std::span<const TouchedGhost>(outgoing), std::span<const std::int64_t>(begin));
  comm_.attempt([&] {
    for (std::size_t neighbour = 0; neighbour < halo.receive_from.size(); ++neighbour) {
      const int rank = halo.receive_from[neighbour];
      const std::int64_t first_ghost = graph_.owned() + halo.receive_begin[neighbour];
      const auto part = came.from(rank);
      for (std::size_t at = 0; at < part.size();) {
        auto& plan = plans[part[at].step];
        const auto start = std::ssize(plan.ghost);
        for (const auto step = part[at].step; at < part.size() && part[at].step == step; ++at) {
          plan.ghost.emplace_back(narrow(first_ghost + part[at].place));
        }
        add_part(rank, std::ssize(plan.ghost) - start, plan.halo.receive_from, plan.halo.receive_begin);
      }
    }
  });
}

}  // namespace cohort
