#include "assign/assignment.hpp"

#include <algorithm>
#include <utility>

#include "assign/fold_in.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "items/best_of_all.hpp"
#include "items/top_items.hpp"

namespace cohort {

void check_has_items(const SegmentsFile& result, const std::string& path) {
  if (result.items.total() > 0) return;
  throw InputError(path + " has no items: its users were clustered by friendships alone, and new users are placed " +
                   "by their interactions");
}

void check_fold_in(const Communicator& comm, const SegmentsFile& result, const std::string& path) {
  comm.attempt([&] {
    check_has_items(result, path);
    if (!result.fold_in) {
      throw InputError(path +
                       " does not hold what new users are folded in with (/items/fold_in); run `cohort segment` " +
                       "again to add it");
    }
    if (result.fold_in->rows.rows() > 0 && result.fold_in->rows.columns() != result.segments.centroid.columns()) {
      throw InputError(path + " is damaged: /items/fold_in and /segments/centroid differ in width");
    }
  });
}

std::vector<ScoredItem> popular_items(const Communicator& comm, const Distribution& items,
                                      std::span<const std::int64_t> item_users, std::int64_t count) {
  struct Counted {
    std::int64_t users, item;
    bool operator<(const Counted& other) const {
      return users != other.users ? users > other.users : item < other.item;
    }
  };
  std::vector<std::vector<Counted>> mine(1);
  comm.attempt([&] {
    for (std::size_t i = 0; i < item_users.size(); ++i) {
      mine[0].push_back({item_users[i], items.begin(comm.rank()) + static_cast<std::int64_t>(i)});
    }
  });
  const auto all = best_of_all(comm, std::move(mine), std::span<const std::int64_t>(&count, 1)).entries;
  std::vector<ScoredItem> result;
  for (const auto& entry : all) result.push_back({static_cast<float>(entry.users), entry.item});
  return result;
}

Assignment assign_embedded(const Communicator& comm, const SegmentsFile& result,
                           std::span<const std::int64_t> item_users, const PairTable& known, ConstMatrixView embedding,
                           std::span<const char> has_basis, const AssignOptions& options) {
  const auto& segments = result.segments;
  const auto& items = result.items.distribution;
  const bool has_items = result.items.total() > 0;
  const auto popular = has_items ? popular_items(comm, items, item_users, options.count) : std::vector<ScoredItem>();
  Assignment assignment;
  const auto users = static_cast<std::size_t>(known.rows());
  COHORT_CHECK(std::cmp_equal(embedding.rows, users) && has_basis.size() == users);
  std::vector<std::int64_t> placed;
  std::vector<ScoredItem> best;
  std::vector<std::int64_t> found(users, 0);
  const auto room = static_cast<std::size_t>(std::min(options.count, items.total()));
  comm.attempt([&] {
    assignment.placement.resize(users);
    for (std::size_t u = 0; u < users; ++u) {
      if (has_basis[u] != 0) placed.push_back(static_cast<std::int64_t>(u));
    }
    best.resize(users * room);
    for_each_in_parallel(std::ssize(placed), [&](std::int64_t i) {
      const auto u = placed[i];
      assignment.placement[u] = place_at(embedding.row(u), segments, options.level, options.spherical);
    });
  });
  if (has_items) {
    TopItemsQuery query;
    query.users = embedding;
    query.items = segments.items.view();
    query.blocks = &items;
    query.excluded = &known;
    query.chosen = &placed;
    query.k = options.count;
    top_items(comm, query, [&](std::int64_t user, std::span<const ScoredItem> of_user) {
      const auto u = static_cast<std::size_t>(user);
      std::ranges::copy(of_user, best.begin() + static_cast<std::ptrdiff_t>(u * room));
      found[u] = std::ssize(of_user);
    });
  }
  comm.attempt([&] {
    for (std::size_t u = 0; u < users; ++u) {
      if (assignment.placement[u].segment < 0) {
        assignment.best.insert(assignment.best.end(), popular.begin(), popular.end());
      } else {
        const auto from = best.begin() + static_cast<std::ptrdiff_t>(u * room);
        assignment.best.insert(assignment.best.end(), from, from + found[u]);
      }
      assignment.best_begin.push_back(std::ssize(assignment.best));
    }
  });
  return assignment;
}

Assignment assign(const Communicator& comm, const SegmentsFile& result, const Newcomers& newcomers,
                  const AssignOptions& options) {
  const auto& edges = newcomers.edges;
  const auto embedding = fold_in(comm, result.fold_in->rows.view(), result.items.distribution, edges);
  std::vector<char> has_basis;
  comm.attempt([&] {
    for (std::size_t u = 0; u + 1 < edges.row_begin.size(); ++u) {
      has_basis.push_back(edges.row_begin[u + 1] > edges.row_begin[u] ? 1 : 0);
    }
  });
  return assign_embedded(comm, result, result.fold_in->users, edges, embedding.view(), has_basis, options);
}

}  // namespace cohort
