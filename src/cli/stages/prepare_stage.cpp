#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/pipeline.hpp"
#include "core/stopwatch.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

namespace {

struct Prepared {
  Dataset dataset;
  PrepareStats stats;
  std::int64_t interactions = 0;  // left, over all ranks
  std::int64_t social_edges = 0;
};

Prepared read_input(const Session& session) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  spdlog::info("prepare: reading the input");
  auto [dataset, stats] =
      prepare(comm, config.input, config.clean, config.graph, static_cast<std::uint64_t>(config.train.seed), log_input);
  Prepared prepared{std::move(dataset), std::move(stats)};
  prepared.interactions = comm.sum(prepared.dataset.interactions.size());
  prepared.social_edges = comm.sum(prepared.dataset.social.size()) / 2;
  log_prepare(prepared.stats, prepared.dataset, prepared.interactions, prepared.social_edges);
  return prepared;
}

}  // namespace

GraphFile prepare_graph(const Session& session) {
  const auto& comm = session.comm();
  const Stopwatch stopwatch;
  auto prepared = read_input(session);
  GraphFile graph;
  graph.dataset = std::move(prepared.dataset);
  graph.provenance = session.provenance(graph.dataset.files);
  if (session.config().graph.kind == GraphKind::user) join_users(session, graph.dataset);
  graph.history.timing["read"] = comm.all_gather(prepared.stats.read_seconds);
  graph.history.timing["dictionary"] = comm.all_gather(prepared.stats.dictionary_seconds);
  graph.history.timing["clean"] = comm.all_gather(prepared.stats.clean_seconds);
  graph.history.timing["prepare"] = comm.all_gather(stopwatch.seconds());
  spdlog::info("prepare: {:.1f} s for {}", stopwatch.seconds(), in_bytes(prepared.stats.bytes));
  return graph;
}

std::string describe_input(const Session& session) {
  const auto prepared = read_input(session);
  read_attribute_tables(session, prepared.dataset);
  return counts_text(prepared.stats, prepared.dataset, prepared.interactions, prepared.social_edges);
}

}  // namespace cohort
