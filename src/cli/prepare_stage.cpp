#include "cli/logging.hpp"
#include "cli/pipeline.hpp"
#include "cli/report.hpp"
#include "core/timer.hpp"
#include "ingest/prepare.hpp"

namespace cohort {

GraphFile prepare_graph(const Session& session) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  const Timer timer;
  spdlog::info("prepare: reading the input");
  auto prepared =
      prepare(comm, config.input, config.clean, config.graph, static_cast<std::uint64_t>(config.train.seed));
  GraphFile graph;
  graph.dataset = std::move(prepared.dataset);
  graph.provenance = session.provenance(graph.dataset.files);
  graph.history.timing["read"] = comm.all_gather(prepared.stats.read_seconds);
  graph.history.timing["dictionary"] = comm.all_gather(prepared.stats.dictionary_seconds);
  graph.history.timing["clean"] = comm.all_gather(prepared.stats.clean_seconds);
  graph.history.timing["prepare"] = comm.all_gather(timer.seconds());
  const auto interactions = comm.sum(graph.dataset.interactions.size());
  const auto social_edges = comm.sum(graph.dataset.social.size()) / 2;
  log_prepare(prepared.stats, graph.dataset, interactions, social_edges);
  spdlog::info("prepare: {:.1f} s for {}", timer.seconds(), in_bytes(prepared.stats.bytes));
  return graph;
}

}  // namespace cohort
