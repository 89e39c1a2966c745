#include "cluster/lloyd.hpp"

#include <algorithm>
#include <array>

#include "cluster/centres.hpp"
#include "cluster/seeding.hpp"
#include "comm/shard_sum.hpp"
#include "core/interruption.hpp"
#include "kernels/distances.hpp"

namespace cohort {

namespace {
// Rows that are still in the second-level cache when they are added up after they were assigned; a multiple of what
// the kernel packs at a time.
constexpr std::int64_t chunk = 384;
}  // namespace

LloydPass::LloydPass(const Communicator& comm, const CheckedPoints& population, std::int64_t count, bool spherical)
    : comm_(comm),
      population_(population),
      inertia_(comm, *population.points.layout),
      count_(count),
      spherical_(spherical),
      threads_(omp_get_max_threads()),
      sums_end_(count * population.points.rows.stride),
      fixed_point_(FixedPoint::for_sum(population.total, population.largest)) {
  comm.attempt([&] {
    nearest_.assign(population.points.id.size(), -1);
    partial_.resize(population.points.shard_begin.size() - 1);
    sums_.assign(threads_, std::vector<std::int64_t>(sums_end_ + count + 1));
  });
}

void LloydPass::assign_shard(std::int64_t begin, std::int64_t end, const ScoredCentres& scored, ConstMatrixView centres,
                             std::span<std::int64_t> sums, double& inertia) {
  const auto of_points = sums.first(sums_end_);
  auto* const sizes = sums.data() + sums_end_;
  std::array<std::int32_t, chunk> room;
  inertia = 0;
  for (auto at = begin; at < end; at += chunk) {
    const auto here = std::min(chunk, end - at);
    const auto found = std::span(room).first(here);
    const auto rows = population_.points.rows.slice(at, here);
    scored.nearest(rows, found);
    auto* const before = nearest_.data() + at;
    std::int64_t changed = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      changed += before[i] != found[i] ? 1 : 0;
      ++sizes[found[i]];
    }
    sums.back() += changed;
    std::ranges::copy(found, before);
    inertia += add_to_groups(rows, found, centres, fixed_point_.scale, of_points);
  }
}

LloydPass::Outcome LloydPass::assign(ConstMatrixView centres) {
  comm_.attempt([&] {
    end_if_interrupted();
    const ScoredCentres scored(centres);
    for (auto& sums : sums_) std::ranges::fill(sums, 0);
    for_each_shard(population_.points, threads_,
                   [&](int thread, std::int64_t shard, std::int64_t begin, std::int64_t end) {
                     assign_shard(begin, end, scored, centres, sums_[thread], partial_[shard]);
                   });
    auto& all = sums_.front();
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t thread = 1; thread < sums_.size(); ++thread) all[i] += sums_[thread][i];
    }
  });
  comm_.sum_in_place(std::span<std::int64_t>(sums_.front()));
  Outcome outcome;
  outcome.inertia = inertia_.of(partial_);
  outcome.changed = sums_.front().back();
  for (std::int64_t j = 0; j < count_; ++j) outcome.empty += size(j) == 0 ? 1 : 0;
  return outcome;
}

void LloydPass::move(MatrixView centres) const {
  std::vector<double> mean(centres.columns);
  for (std::int64_t j = 0; j < count_; ++j) {
    if (size(j) == 0) continue;
    const auto* const sum = sums_.front().data() + j * centres.stride;
    for (std::size_t e = 0; e < mean.size(); ++e) mean[e] = fixed_point_.real(sum[e]) / static_cast<double>(size(j));
    set_centre(mean, spherical_, centres.at(j));
  }
}

LloydRun run_lloyd(const Communicator& comm, const CheckedPoints& population, const KmeansOptions& options,
                   Matrix centres) {
  LloydPass pass(comm, population, options.count, options.spherical);
  LloydRun run;
  for (std::int64_t iteration = 1;; ++iteration) {
    const auto outcome = pass.assign(centres.view());
    const bool gained =
        run.inertia.empty() || run.inertia.back() - outcome.inertia >= options.tolerance * run.inertia.back();
    run.inertia.push_back(outcome.inertia);
    const bool settled = outcome.empty == 0 && (outcome.changed == 0 || !gained);
    if (settled || iteration == options.max_iterations) break;
    Matrix farthest;
    if (outcome.empty > 0)
      farthest = farthest_rows(comm, population.points, centres.view(), pass.nearest(), outcome.empty);
    if (outcome.empty > 0 && farthest.rows() == 0) break;  // fewer different points than centres
    pass.move(centres.view());
    for (std::int64_t j = 0, taken = 0; j < options.count && taken < farthest.rows(); ++j) {
      if (pass.size(j) == 0) std::copy_n(farthest.row(taken++), centres.stride(), centres.row(j));
    }
    run.reseeded += farthest.rows();
  }
  run.centres = std::move(centres);
  return run;
}

}  // namespace cohort
