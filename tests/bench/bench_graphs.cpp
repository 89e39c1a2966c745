#include "bench_graphs.hpp"

#include <metis.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "core/error.hpp"
#include "core/random.hpp"

namespace cohort::bench {
namespace {

/// Lines "user item item ...".
std::vector<std::pair<std::int32_t, std::int32_t>> read_adjacency(const std::string& path) {
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return pairs;
  std::string text;
  std::vector<char> buffer(1 << 20);
  for (int got = 0; (got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  gzclose(file);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    std::int32_t user = 0;
    numbers >> user;
    for (std::int32_t item = 0; numbers >> item;) pairs.emplace_back(user, item);
  }
  return pairs;
}

}  // namespace

Graph bipartite_graph(std::string name, std::int64_t users, std::int64_t items,
                      std::vector<std::pair<std::int32_t, std::int32_t>> pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  Graph graph;
  graph.name = std::move(name);
  graph.row_begin.assign(users + items + 1, 0);
  const auto first_item = static_cast<std::int32_t>(users);
  for (const auto& [user, item] : pairs) {
    ++graph.row_begin[user + 1];
    ++graph.row_begin[first_item + item + 1];
  }
  std::partial_sum(graph.row_begin.begin(), graph.row_begin.end(), graph.row_begin.begin());
  graph.column.resize(2 * pairs.size());
  graph.value.resize(2 * pairs.size());
  std::vector<std::int64_t> at(graph.row_begin.begin(), graph.row_begin.end() - 1);
  const auto degree = [&](std::int32_t node) {
    const auto row = static_cast<std::size_t>(node);
    return static_cast<double>(graph.row_begin[row + 1] - graph.row_begin[row]);
  };
  for (const auto& [user, item] : pairs) {
    const std::int32_t node = first_item + item;
    const auto value = static_cast<float>(1.0 / std::sqrt(degree(user) * degree(node)));
    for (const auto& [row, column] : {std::pair{user, node}, std::pair{node, user}}) {
      const auto place = static_cast<std::size_t>(at[row]++);
      graph.column[place] = LocalRow(column);
      graph.value[place] = value;
    }
  }
  return graph;
}

Graph gowalla_graph() {
  const char* const data = std::getenv("COHORT_SHARED_DATA");
  constexpr std::int64_t users = 29'858;
  constexpr std::int64_t items = 40'981;
  auto pairs = read_adjacency(std::string(data != nullptr ? data : COHORT_BENCH_DATA) + "/gowalla/train.txt.gz");
  if (!pairs.empty()) return bipartite_graph("Gowalla", users, items, std::move(pairs));
  Graph graph = planted_graph(users, items, 830'000, 1);
  graph.name = "made up in Gowalla's shape";
  return graph;
}

Graph planted_graph(std::int64_t users, std::int64_t items, std::int64_t interactions, std::int64_t segments) {
  const CounterRandom random(1, Purpose::generate_interactions);
  const RandomPermutation item_at(static_cast<std::uint64_t>(items), 1, Purpose::generate_items, 0);
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  pairs.reserve(interactions);
  for (std::int64_t i = 0; i < interactions; ++i) {
    const auto counter = static_cast<std::uint64_t>(i);
    const auto user = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(users), counter, 0));
    const auto segment = static_cast<std::int64_t>(
        random.below(static_cast<std::uint64_t>(segments), static_cast<std::uint64_t>(user), 1));
    const bool inside = random.uniform(counter, 2) < 0.8;
    const std::int64_t first = inside ? items * segment / segments : 0;
    const std::int64_t last = inside ? items * (segment + 1) / segments : items;
    const double skewed = std::pow(random.uniform(counter, 3), 2.0);  // the first items of a range are the popular ones
    const auto place = first + static_cast<std::int64_t>(skewed * static_cast<double>(last - first));
    pairs.emplace_back(static_cast<std::int32_t>(user),
                       static_cast<std::int32_t>(item_at(static_cast<std::uint64_t>(std::min(place, items - 1)))));
  }
  return bipartite_graph("planted, " + std::to_string(users) + " users", users, items, std::move(pairs));
}

Dataset interactions_of(const Communicator& comm, const Graph& graph, std::int64_t users) {
  Dataset data;
  data.users.distribution = Distribution::even(users, comm.size());
  data.items.distribution = Distribution::even(graph.nodes() - users, comm.size());
  for (auto user = data.users.distribution.begin(comm.rank()); user < data.users.distribution.end(comm.rank());
       ++user) {
    const auto u = static_cast<std::size_t>(user);
    for (auto k = graph.row_begin[u]; k < graph.row_begin[u + 1]; ++k) {
      data.interactions.other.push_back(graph.column[k].value - users);
      data.interactions.weight.push_back(1.0F);
    }
    data.interactions.row_begin.push_back(std::ssize(data.interactions.other));
  }
  return data;
}

Graph in_metis_order(const Graph& graph, std::int32_t parts) {
  std::vector<idx_t> begin(graph.row_begin.begin(), graph.row_begin.end());
  std::vector<idx_t> neighbour;
  neighbour.reserve(graph.column.size());
  for (const LocalRow column : graph.column) neighbour.push_back(column.value);
  auto nodes = static_cast<idx_t>(graph.nodes());
  std::vector<idx_t> weight(nodes);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = 1 + begin[i + 1] - begin[i];
  std::vector<idx_t> part(nodes);
  idx_t constraints = 1;
  idx_t part_count = parts;
  idx_t cut = 0;
  idx_t options[METIS_NOPTIONS];
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = 1;
  const int status = METIS_PartGraphKway(&nodes, &constraints, begin.data(), neighbour.data(), weight.data(), nullptr,
                                         nullptr, &part_count, nullptr, nullptr, options, &cut, part.data());
  COHORT_CHECK(status == METIS_OK);

  std::vector<std::int32_t> old_of(part.size());
  std::iota(old_of.begin(), old_of.end(), 0);
  std::stable_sort(old_of.begin(), old_of.end(), [&](std::int32_t a, std::int32_t b) { return part[a] < part[b]; });
  std::vector<std::int32_t> new_of(part.size());
  for (std::size_t i = 0; i < old_of.size(); ++i) {
    new_of[old_of[i]] = static_cast<std::int32_t>(i);
  }
  Graph ordered;
  ordered.name = graph.name;
  ordered.row_begin.push_back(0);
  for (const std::int32_t old : old_of) {
    const auto row = static_cast<std::size_t>(old);
    for (auto e = static_cast<std::size_t>(begin[row]); e < static_cast<std::size_t>(begin[row + 1]); ++e) {
      ordered.column.emplace_back(new_of[graph.column[e].value]);
      ordered.value.push_back(graph.value[e]);
    }
    ordered.row_begin.push_back(ordered.entries());
  }
  return ordered;
}

}  // namespace cohort::bench
