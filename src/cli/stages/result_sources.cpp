#include "cli/stages/result_sources.hpp"

#include <filesystem>

#include "cli/session.hpp"
#include "cli/stored_config.hpp"
#include "core/error.hpp"
#include "store/graph_hash.hpp"

namespace cohort {

ResultSources read_sources(const Communicator& comm, const SegmentsFile& result, const Config& config,
                           const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  const auto graph_path = (directory / "graph.h5").string();
  const auto model_path = (directory / "model.h5").string();
  ResultSources sources{read_graph_file(comm, graph_path), read_model_file(comm, model_path, ModelPart::trained)};
  const auto& dataset = sources.graph.dataset;
  const auto& model = sources.model;
  const auto other = [](const IdTable& a, const IdTable& b) { return a.begin != b.begin || a.bytes != b.bytes; };
  if (comm.any(other(dataset.users, result.users) || other(dataset.items, result.items)) ||
      !same_inputs(sources.graph.provenance.inputs, result.provenance.inputs) ||
      graph_settings(stored_config(sources.graph.provenance, graph_path)) != graph_settings(config)) {
    throw InputError(graph_path + " is not the graph that " + path + " was made from; run `cohort run` again");
  }
  if (comm.sum(model.model.embedding.rows()) != sources.graph.dataset.nodes() ||
      model.model.embedding.columns() != result.segments.users.columns() || model.model.epochs != result.epochs ||
      !same_inputs(model.provenance.inputs, result.provenance.inputs) ||
      model.graph_hash != graph_hash(comm, dataset) ||
      model_settings(stored_config(model.provenance, model_path)) != model_settings(config)) {
    throw InputError(model_path + " is not the model that " + path + " was made from; run `cohort segment` again");
  }
  if (!sources.graph.partition) throw InputError(graph_path + " has no partition; run `cohort partition` first");
  return sources;
}

}  // namespace cohort
