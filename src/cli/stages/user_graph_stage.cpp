#include <cmath>

#include "assign/fold_in.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/stopwatch.hpp"
#include "data/pair_table.hpp"
#include "graph/user_graph.hpp"
#include "graph/user_similarity.hpp"

namespace cohort {

void join_users(const Session& session, Dataset& dataset) {
  const auto& comm = session.comm();
  dataset.users_alone = true;
  if (!dataset.has_items()) return;
  const Stopwatch stopwatch;
  const auto& options = session.config().graph;
  auto found = similar_users(comm, dataset, options);
  dataset.neighbours = std::move(found.edges);
  spdlog::info("  users joined by what they share: {}, at most {} for each and those whose neighbour it is; {:.1f} s",
               counted(comm.sum(dataset.neighbours.size()) / 2, "edge"), options.neighbours, stopwatch.seconds());
  if (found.passed_over.items > 0) {
    spdlog::info("  passed over: {} with more than {}, {}", counted(found.passed_over.items, "item"),
                 counted(found.passed_over.max_item_users, "user"),
                 counted(found.passed_over.interactions, "interaction"));
  }
}

Positives training_pairs(const Session& session, const Dataset& dataset, const ShardedGraph& sharded) {
  const auto& comm = session.comm();
  if (!dataset.users_alone) return positives_of(comm, dataset, sharded);
  Dataset edges;
  edges.users.distribution = dataset.users.distribution;
  edges.social = user_edges(comm, dataset, session.config().graph);
  return positives_of(comm, edges, sharded);
}

Matrix items_among_users(const Session& session, const Dataset& dataset, ConstMatrixView users) {
  const auto& comm = session.comm();
  const auto& blocks = dataset.users.distribution;
  const auto& table = dataset.interactions;
  RawPairs turned;
  comm.attempt([&] {
    turned.row.assign(table.other.begin(), table.other.end());
    turned.weight.assign(table.other.size(), 1.0F);
    for (std::int64_t u = 0; u < table.rows(); ++u) {
      turned.other.insert(turned.other.end(), table.row(u).size(), blocks.begin(comm.rank()) + u);
    }
  });
  const auto by_item = make_pair_table(comm, dataset.items.distribution, std::move(turned)).table;
  return fold_in(comm, users, blocks, by_item);
}

}  // namespace cohort
