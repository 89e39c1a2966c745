// Weighted k-means++ among the candidates: small next to the passes over all points, so every rank does all of it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/centres.hpp"
#include "cluster/seeding.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "kernels/distances.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

constexpr std::int64_t block = 1024;  // candidates a task
constexpr int refinements = 10;

std::int64_t blocks_of(std::int64_t rows) {
  return (rows + block - 1) / block;
}

// The first row at which the running sum of `mass` exceeds `share` of its total; -1 where the total is 0.
std::int64_t row_at(std::span<const double> mass, double share) {
  double total = 0;
  for (const double part : mass) total += part;
  const double target = share * total;
  double sum = 0;
  std::int64_t last = -1;
  for (std::size_t i = 0; i < mass.size(); ++i) {
    if (mass[i] <= 0) continue;
    sum += mass[i];
    last = static_cast<std::int64_t>(i);
    if (sum > target) break;
  }
  return last;
}

// Squared distances of the candidates to some of them, from the product; what is lost in float32 counts as 0.
class TrialDistances {
 public:
  TrialDistances(const Matrix& around, std::span<const double> norm, std::int64_t trials)
      : around_(around), norm_(norm), distance_(around.rows(), trials) {}

  void compute(std::span<const std::int64_t> trial) {
    Matrix rows(std::ssize(trial), around_.columns());
    for (std::size_t t = 0; t < trial.size(); ++t) {
      std::copy_n(around_.row(trial[t]), around_.stride(), rows.row(static_cast<std::int64_t>(t)));
    }
    const PackedRows packed(rows.view());
    const auto tasks = blocks_of(around_.rows());
    for_each_in_parallel(tasks, [&](std::int64_t task) {
      const auto first = task * block;
      const auto here = std::min(block, around_.rows() - first);
      const auto out = distance_.view().slice(first, here);
      inner_products(around_.view().slice(first, here), packed, out);
      for (std::int64_t i = 0; i < here; ++i) {
        for (std::size_t t = 0; t < trial.size(); ++t) {
          const double norms = norm_[first + i] + norm_[trial[t]];
          const double distance = norms - 2 * static_cast<double>(out.row(i)[t]);
          out.row(i)[t] = distance > 0x1p-20 * norms ? static_cast<float>(distance) : 0.0F;
        }
      }
    });
  }
  const float* row(std::int64_t candidate) const { return distance_.row(candidate); }

 private:
  const Matrix& around_;
  std::span<const double> norm_;
  Matrix distance_;  // candidates x trials
};

}  // namespace

void set_centre(std::span<const double> mean, bool unit, std::span<float> centre) {
  double length = 1;
  if (unit) {
    double square = 0;
    for (const double element : mean) square += element * element;
    length = std::sqrt(square);
    if (length == 0) return;
  }
  for (std::size_t e = 0; e < centre.size(); ++e) centre[e] = static_cast<float>(mean[e] / length);
}

StartingCentres::StartingCentres(const Candidates& candidates, std::int64_t count, bool spherical, std::uint64_t seed)
    : candidates_(candidates),
      count_(count),
      spherical_(spherical),
      seed_(seed),
      around_(candidates.rows.rows(), candidates.rows.columns()) {
  const auto& rows = candidates.rows;
  std::vector<double> mean(rows.columns(), 0.0);
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t e = 0; e < mean.size(); ++e) mean[e] += static_cast<double>(rows.row(i)[e]);
  }
  for (auto& element : mean) element /= static_cast<double>(rows.rows());
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t e = 0; e < mean.size(); ++e) {
      around_.row(i)[e] = static_cast<float>(static_cast<double>(rows.row(i)[e]) - mean[e]);
    }
    norm_.push_back(row_dot(around_.row(i), around_.row(i), around_.stride()));
  }
}

std::vector<std::int64_t> StartingCentres::draw(std::int64_t restart, ConstMatrixView beside) const {
  const auto& weight = candidates_.weight;
  const CounterRandom random(seed_, Purpose::kmeans_plus_plus);
  const auto trials = 2 + static_cast<std::int64_t>(std::log(static_cast<double>(count_)));
  const auto uniform = [&](std::int64_t centre, std::int64_t trial) {
    return random.uniform(static_cast<std::uint64_t>(centre * trials + trial), static_cast<std::uint32_t>(restart));
  };
  TrialDistances distances(around_, norm_, trials);
  std::vector<std::int64_t> chosen;
  std::vector<double> mass = weight;  // weight * squared distance to the nearest centre
  if (beside.rows == 0) {
    chosen.push_back(row_at(weight, uniform(0, 0)));
    distances.compute(chosen);
    for (std::size_t i = 0; i < mass.size(); ++i) {
      mass[i] = weight[i] * static_cast<double>(distances.row(static_cast<std::int64_t>(i))[0]);
    }
  } else {
    for (std::size_t i = 0; i < mass.size(); ++i) {
      const float* const row = candidates_.rows.row(static_cast<std::int64_t>(i));
      double nearest = std::numeric_limits<double>::infinity();
      for (std::int64_t j = 0; j < beside.rows; ++j) {
        nearest = std::min(nearest, squared_distance(row, beside.row(j), beside.stride));
      }
      mass[i] = weight[i] * nearest;
    }
  }
  const auto tasks = blocks_of(around_.rows());
  const auto width = static_cast<std::size_t>(trials);
  std::vector<double> potential(tasks * width);
  std::vector<std::int64_t> trial(width);
  while (beside.rows + std::ssize(chosen) < count_) {
    for (std::int64_t t = 0; t < trials; ++t) {
      trial[t] = row_at(mass, uniform(std::ssize(chosen), t));
    }
    if (trial.front() < 0) break;
    distances.compute(trial);
    std::fill(potential.begin(), potential.end(), 0.0);
#pragma omp parallel for schedule(static)
    for (std::int64_t task = 0; task < tasks; ++task) {
      double* const sum = potential.data() + static_cast<std::size_t>(task) * width;
      for (auto i = task * block; i < std::min((task + 1) * block, around_.rows()); ++i) {
        const auto r = static_cast<std::size_t>(i);
        for (std::size_t t = 0; t < width; ++t) {
          sum[t] += std::min(mass[r], weight[r] * static_cast<double>(distances.row(i)[t]));
        }
      }
    }
    for (std::size_t part = width; part < potential.size(); ++part) potential[part % width] += potential[part];
    const auto best = std::min_element(potential.begin(), potential.begin() + trials) - potential.begin();
    for (std::size_t i = 0; i < mass.size(); ++i) {
      mass[i] = std::min(mass[i], weight[i] * static_cast<double>(distances.row(static_cast<std::int64_t>(i))[best]));
    }
    chosen.push_back(trial[best]);
    mass[chosen.back()] = 0;
  }
  return chosen;
}

void StartingCentres::refine(Matrix& centres) const {
  const auto& rows = candidates_.rows;
  const auto columns = static_cast<std::size_t>(rows.columns());
  std::vector<std::int32_t> nearest(candidates_.weight.size(), -1);
  std::vector<std::int32_t> before;
  for (int iteration = 0; iteration < refinements; ++iteration) {
    before = nearest;
    const ScoredCentres scored(centres.view());
    const auto tasks = blocks_of(rows.rows());
    for_each_in_parallel(tasks, [&](std::int64_t task) {
      const auto first = task * block;
      const auto here = std::min(block, rows.rows() - first);
      scored.nearest(rows.view().slice(first, here), std::span(nearest).subspan(first, here));
    });
    if (nearest == before) return;
    std::vector<double> mean(centres.rows() * columns, 0.0);
    std::vector<double> total(centres.rows(), 0.0);
    for (std::size_t i = 0; i < nearest.size(); ++i) {
      const auto centre = static_cast<std::size_t>(nearest[i]);
      const float* const row = rows.row(static_cast<std::int64_t>(i));
      const double weight = candidates_.weight[i];
      total[centre] += weight;
      for (std::size_t e = 0; e < columns; ++e) mean[centre * columns + e] += weight * static_cast<double>(row[e]);
    }
    for (std::size_t j = 0; j < total.size(); ++j) {
      if (total[j] == 0) continue;
      const auto sum = std::span(mean).subspan(j * columns, columns);
      for (auto& element : sum) element /= total[j];
      set_centre(sum, spherical_, centres.view().at(static_cast<std::int64_t>(j)));
    }
  }
}

Matrix StartingCentres::choose(std::int64_t restart, ConstMatrixView beside) const {
  const auto chosen = draw(restart, beside);
  Matrix centres(count_, candidates_.rows.columns());
  for (std::int64_t j = 0; j < count_; ++j) {
    const auto drawn = j - beside.rows;
    const float* from = nullptr;
    if (drawn < 0) {
      from = beside.row(j);
    } else if (drawn < std::ssize(chosen)) {
      from = candidates_.rows.row(chosen[drawn]);
    } else {
      from = centres.row(0);
    }
    std::copy_n(from, centres.stride(), centres.row(j));
  }
  if (beside.rows == 0) refine(centres);
  return centres;
}

}  // namespace cohort
