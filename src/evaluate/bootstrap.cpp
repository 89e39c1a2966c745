#include "evaluate/bootstrap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/error.hpp"
#include "core/fixed_point.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"

namespace cohort {

namespace {

const auto fixed_point = FixedPoint::with_bits(30);  // 2^30 * 13 copies * 2^28 users stay below 2^62
constexpr std::int64_t most_users = std::int64_t{1} << 28;
constexpr std::int64_t batch_bytes = std::int64_t{64} << 20;
constexpr std::int64_t run_users = 256;  // that a thread adds up before it adds them to everybody's

// below[j] = floor(2^32 P(copies <= j)): a uniform word is that of more than j copies if it is at or above it.
constexpr std::size_t most_copies = 13;
std::array<std::uint32_t, most_copies> copies_below() {
  std::array<std::uint32_t, most_copies> below{};
  double probability = std::exp(-1.0);
  double sum = 0;
  for (std::size_t j = 0; j < most_copies; ++j) {
    sum += probability;
    probability /= static_cast<double>(j + 1);
    below[j] = static_cast<std::uint32_t>(std::min(std::floor(std::ldexp(sum, 32)), 4294967295.0));
  }
  return below;
}

}  // namespace

double value_unit() {
  return fixed_point.real(1);
}

void ResampledSums::add(const ResampledSums& other) {
  COHORT_CHECK(sum_.size() == other.sum_.size());
  for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += other.sum_[i];
}

// Adds up rows into the sums of some consecutive groups.
class GroupSums {
 public:
  GroupSums(const BootstrapInput& input, std::int32_t first, std::int32_t count)
      : input_(input), random_(input.seed, Purpose::bootstrap), below_(copies_below()), first_(first) {
    for (std::int32_t g = 0; g < count; ++g) sums_.emplace_back(input.width, input.resamples);
  }

  /// rows: all of `group`. Threads may come at a time.
  void add(std::int32_t group, std::span<const std::int64_t> rows) {
    ResampledSums mine(input_.width, input_.resamples);
    const auto stride = static_cast<std::size_t>(input_.resamples + 1);
    std::vector<std::uint32_t> copies(stride);
    for (const auto row : rows) {
      draw(input_.user[row], copies);
      const auto values = input_.value.subspan(row * input_.width, input_.width);
      for (std::size_t slot = 0; slot <= values.size(); ++slot) {
        const auto rounded =
            slot == 0 ? std::uint64_t{1} : static_cast<std::uint64_t>(fixed_point.fixed(values[slot - 1]));
        if (rounded == 0) continue;
        std::int64_t* const sum = mine.sum_.data() + slot * stride;
        for (std::size_t r = 0; r < stride; ++r) sum[r] += static_cast<std::int64_t>(copies[r] * rounded);
      }
    }
#pragma omp critical(cohort_bootstrap)
    sums_[group - first_].add(mine);
  }

  /// Over all ranks. Collective.
  void share(const Communicator& comm) {
    for (auto& sums : sums_) comm.sum_in_place(std::span<std::int64_t>(sums.sum_));
  }
  const ResampledSums& of(std::int32_t group) const {
    return sums_[group - first_];
  }

 private:
  // How often a user counts in every resample; once in resample 0.
  void draw(std::int64_t user, std::vector<std::uint32_t>& copies) const {
    copies[0] = 1;
    for (std::size_t r = 1; r < copies.size(); r += 4) {
      const auto words = random_.words(static_cast<std::uint64_t>(user), static_cast<std::uint32_t>(r / 4));
      for (std::size_t i = 0; i < std::min<std::size_t>(4, copies.size() - r); ++i) {
        std::uint32_t count = 0;
        for (const auto below : below_) count += words[i] >= below ? 1 : 0;
        copies[r + i] = count;
      }
    }
  }

  const BootstrapInput& input_;
  CounterRandom random_;
  std::array<std::uint32_t, most_copies> below_;
  std::int32_t first_;
  std::vector<ResampledSums> sums_;
};

void bootstrap(const Communicator& comm, const BootstrapInput& input,
               const std::function<void(std::int32_t group, const ResampledSums& sums)>& take) {
  const auto rows = std::ssize(input.user);
  COHORT_CHECK(std::ssize(input.group) == rows && std::ssize(input.value) == rows * input.width);
  COHORT_CHECK(input.resamples >= 40, "so few resamples have no 2.5th percentile");
  if (comm.sum(rows) > most_users) throw RunError("more than 2^28 users cannot be resampled");
  std::vector<std::int64_t> begin(input.groups + 1, 0);
  std::vector<std::int64_t> order(rows);
  for (const auto group : input.group) ++begin[group + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, {}, [&](std::int64_t row) { return input.group[row]; });

  const auto group_bytes = (input.width + 1) * (input.resamples + 1) * std::int64_t{8};
  const auto together = static_cast<std::int32_t>(std::max<std::int64_t>(1, batch_bytes / group_bytes));
  for (std::int32_t first = 0; first < input.groups; first += together) {
    const auto last = std::min(input.groups, first + together);
    std::optional<GroupSums> sums;
    comm.attempt([&] {
      sums.emplace(input, first, last - first);
      struct Run {
        std::int32_t group;
        std::int64_t begin, end;
      };
      std::vector<Run> runs;
      for (auto g = first; g < last; ++g) {
        const auto end = begin[g + 1];
        for (auto i = begin[g]; i < end; i += run_users) {
          runs.push_back({g, i, std::min(end, i + run_users)});
        }
      }
      for_each_in_parallel(std::ssize(runs), [&](std::int64_t r) {
        const auto& run = runs[r];
        sums->add(run.group, std::span(order).subspan(run.begin, run.end - run.begin));
      });
    });
    sums->share(comm);
    for (auto g = first; g < last; ++g) take(g, sums->of(g));
  }
}

Interval percentile_interval(std::vector<double> values) {
  std::ranges::sort(values);
  const auto outside = values.size() / 40;
  return {values[outside], values[values.size() - 1 - outside]};
}

}  // namespace cohort
