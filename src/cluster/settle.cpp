#include "cluster/settle.hpp"

#include <algorithm>
#include <numeric>

#include "core/words.hpp"

namespace cohort {

namespace {

// Centres by the size of their segments, largest first, ties by the least id.
std::vector<std::int64_t> by_size(const ExactAssignment& assignment) {
  std::vector<std::int64_t> order(assignment.size.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::int64_t a, std::int64_t b) {
    const auto i = static_cast<std::size_t>(a);
    const auto j = static_cast<std::size_t>(b);
    if (assignment.size[i] != assignment.size[j]) return assignment.size[i] > assignment.size[j];
    return assignment.first_id[i] < assignment.first_id[j];
  });
  return order;
}

Matrix rows_in_order(const Matrix& rows, std::span<const std::int64_t> order) {
  Matrix result(std::ssize(order), rows.columns());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(rows.row(order[i]), rows.stride(), result.row(static_cast<std::int64_t>(i)));
  }
  return result;
}

// Without those that are nobody's nearest.
Matrix with_points(const Matrix& centres, const ExactAssignment& assignment) {
  std::vector<std::int64_t> rows;
  for (std::int64_t j = 0; j < centres.rows(); ++j) {
    if (assignment.size[j] > 0) rows.push_back(j);
  }
  return rows_in_order(centres, rows);
}

}  // namespace

TooLittleError too_few_users(std::int64_t distinct, const KmeansOptions& options) {
  if (distinct == 0) {
    return TooLittleError(
        "there is nothing to cluster by: no user's embedding has a direction, as where no two users share an item or "
        "are "
        "friends; check [input], [clean] and [graph]");
  }
  const std::string what =
      options.spherical ? " whose embeddings point in different directions" : " with different embeddings";
  return TooLittleError(std::string(options.asked_by) + " " + std::to_string(options.count) + ", but there " +
                        noun(distinct, "is", "are") + " only " + counted(distinct, "user") + what +
                        "; ask for at most " + std::to_string(std::max<std::int64_t>(distinct, 1)));
}

// Assigns to `centres` until every centre has a point and their numbers go by size. Numbers decide where a point that
// is equally far from two centres goes, so each new numbering is assigned again. That ends: points that move go to
// smaller numbers and sorting brings larger sizes to smaller numbers, so the sizes' running sums only grow. Reseeding
// ends too: each time a point comes to lie on a centre, and none leaves one. Points all lie on centres only where there
// are fewer of them that differ than centres.
ExactAssignment settle(const Communicator& comm, const PointSet& points, const KmeansOptions& options, Matrix& centres,
                       std::int64_t& reseeded) {
  std::int64_t before = -1;  // points that lie on a centre
  while (true) {
    auto assignment = assign_exactly(comm, points, centres.view());
    const auto empty = std::ranges::count(assignment.size, 0);
    if (empty > 0) {
      const auto on_centres = comm.sum(static_cast<std::int64_t>(std::ranges::count(assignment.distance, 0.0)));
      COHORT_CHECK(on_centres > before, "reseeding brings a point onto a centre each time");
      before = on_centres;
      const auto farthest = farthest_rows(comm, points, centres.view(), assignment.nearest, empty);
      if (farthest.rows() == 0) {
        if (!options.or_fewer) throw too_few_users(options.count - empty, options);
        comm.attempt([&] { centres = with_points(centres, assignment); });
        before = -1;
        continue;
      }
      for (std::int64_t j = 0, taken = 0; taken < farthest.rows(); ++j) {
        if (assignment.size[j] > 0) continue;
        std::copy_n(farthest.row(taken++), centres.stride(), centres.row(j));
      }
      reseeded += farthest.rows();
      continue;
    }
    const auto order = by_size(assignment);
    if (std::ranges::is_sorted(order)) return assignment;
    comm.attempt([&] { centres = rows_in_order(centres, order); });
  }
}

}  // namespace cohort
