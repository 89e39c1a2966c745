#include "evaluate/item_neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "comm/index_plan.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "data/distinct.hpp"

namespace cohort {

namespace {

constexpr std::int64_t block_rows = 64;  // that a thread takes at a time

__extension__ using Wide = __int128;

// Everybody's interactions, by user and by item.
struct WholeTable {
  std::vector<std::int64_t> user_begin{0};
  std::vector<std::int32_t> item;
  std::vector<std::int64_t> item_begin;
  std::vector<std::int32_t> user;
};

WholeTable gather(const Communicator& comm, const PairTable& interactions, std::int64_t items) {
  std::vector<std::int32_t> mine;
  std::vector<std::int64_t> lengths;
  comm.attempt([&] {
    COHORT_CHECK(items <= std::numeric_limits<std::int32_t>::max());
    mine.assign(interactions.other.begin(), interactions.other.end());
    for (std::int64_t u = 0; u < interactions.rows(); ++u) lengths.push_back(std::ssize(interactions.row(u)));
  });
  WholeTable table;
  table.item = comm.all_gather(std::span<const std::int32_t>(mine)).data;
  const auto all_lengths = comm.all_gather(std::span<const std::int64_t>(lengths)).data;
  comm.attempt([&] {
    for (const auto length : all_lengths) table.user_begin.push_back(table.user_begin.back() + length);
    table.item_begin.assign(items + 1, 0);
    for (const auto item : table.item) ++table.item_begin[item + 1];
    std::partial_sum(table.item_begin.begin(), table.item_begin.end(), table.item_begin.begin());
    table.user.resize(table.item.size());
    auto next = table.item_begin;
    for (std::size_t u = 0; u + 1 < table.user_begin.size(); ++u) {
      for (const auto k : places_of(table.user_begin, u)) {
        table.user[next[table.item[k]]++] = static_cast<std::int32_t>(u);
      }
    }
  });
  return table;
}

struct Neighbour {
  std::int32_t item;
  std::int32_t shared;
};

}  // namespace

ItemNeighbours item_neighbours(const Communicator& comm, const PairTable& interactions, const Distribution& items,
                               std::int64_t neighbours) {
  const auto table = gather(comm, interactions, items.total());
  const auto degree = [&](std::int64_t item) { return places_of(table.item_begin, item).size(); };
  ItemNeighbours result;
  result.blocks = items;
  const auto first = items.begin(comm.rank());
  const auto count = items.count(comm.rank());
  std::vector<std::vector<Neighbour>> of_item;
  comm.attempt([&] {
    of_item.resize(count);
    for_each_in_parallel((count + block_rows - 1) / block_rows, [&](std::int64_t block) {
      std::vector<std::int32_t> shared(items.total(), 0);
      std::vector<Neighbour> found;
      for (auto i = block * block_rows; i < std::min(count, (block + 1) * block_rows); ++i) {
        found.clear();
        for (const auto k : places_of(table.item_begin, first + i)) {
          const auto user = static_cast<std::size_t>(table.user[k]);
          for (const auto m : places_of(table.user_begin, user)) {
            const auto other = table.item[m];
            if (other == first + i) continue;
            if (shared[other]++ == 0) found.push_back({other, 0});
          }
        }
        for (auto& one : found) one.shared = std::exchange(shared[one.item], 0);
        // cos(i, a) > cos(i, b) where shared_a^2 n_b > shared_b^2 n_a.
        const auto closer = [&](const Neighbour& a, const Neighbour& b) {
          const auto left = Wide{a.shared} * a.shared * degree(b.item);
          const auto right = Wide{b.shared} * b.shared * degree(a.item);
          return left != right ? left > right : a.item < b.item;
        };
        const auto kept = std::min(std::ssize(found), neighbours);
        std::partial_sort(found.begin(), found.begin() + kept, found.end(), closer);
        of_item[i].assign(found.begin(), found.begin() + kept);
      }
    });
    for (std::int64_t i = 0; i < count; ++i) {
      for (const auto& one : of_item[i]) {
        result.item.push_back(one.item);
        result.shared.push_back(one.shared);
      }
      result.begin.push_back(std::ssize(result.item));
      result.users.push_back(degree(first + i));
    }
  });
  return result;
}

void recommend_like(const Communicator& comm, const ItemNeighbours& neighbours, const PairTable& interactions,
                    std::int64_t count, const std::vector<std::int64_t>& users, const TopItemsSink& sink) {
  std::vector<std::int64_t> theirs;
  Distinct had;
  std::vector<std::int64_t> user_begin{0};  // into had.place
  comm.attempt([&] {
    for (const auto user : users) {
      const auto row = interactions.row(user);
      theirs.insert(theirs.end(), row.begin(), row.end());
      user_begin.push_back(std::ssize(theirs));
    }
    had = distinct_of(theirs);
  });
  const IndexPlan plan(comm, neighbours.blocks, had.values);
  const auto near = plan.fetch_rows(neighbours.begin, neighbours.item);
  const auto shared = plan.fetch_rows(neighbours.begin, neighbours.shared);
  const auto degree = plan.fetch(std::span<const std::int64_t>(neighbours.users));
  const auto all_degrees = comm.all_gather(std::span<const std::int64_t>(neighbours.users)).data;
  comm.attempt([&] {
    const auto total = std::ssize(users);
    for_each_in_parallel((total + block_rows - 1) / block_rows, [&](std::int64_t block) {
      std::vector<double> score(all_degrees.size(), 0.0);
      std::vector<std::int64_t> touched;
      std::vector<float> scores;
      for (auto u = block * block_rows; u < std::min(total, (block + 1) * block_rows); ++u) {
        touched.clear();
        scores.clear();
        for (const auto k : places_of(user_begin, u)) {
          const auto place = had.place[k];
          for (const auto m : places_of(near.row_begin, place)) {
            const auto item = near.value[m];
            const auto users_of_both = static_cast<double>(degree[place]) * static_cast<double>(all_degrees[item]);
            if (score[item] == 0) touched.push_back(item);
            score[item] += static_cast<double>(shared.value[m]) / std::sqrt(users_of_both);
          }
        }
        std::ranges::sort(touched);
        for (const auto item : touched) scores.push_back(static_cast<float>(std::exchange(score[item], 0.0)));
        TopK best(count);
        best.offer(scores, touched, interactions.row(users[u]));
        sink(users[u], best.sorted());
      }
    });
  });
}

}  // namespace cohort
