#include "cli/output/logging.hpp"
#include "cli/stages/checkpoints.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stored_config.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "store/segments_file.hpp"

namespace cohort {

namespace {

void need(const Session& session, const std::string& path, const char* command) {
  if (!is_there(session.comm(), path)) {
    throw InputError("there is no " + path + "; run `cohort " + command + "` first, or `cohort run` for all stages");
  }
}

}  // namespace

GraphFile load_graph(const Session& session, bool partitioned) {
  const auto path = session.graph_path();
  need(session, path, "prepare");
  auto graph = read_graph_file(session.comm(), path);
  if (graph_settings(stored_config(graph.provenance, path)) != graph_settings(session.config())) {
    throw InputError(path +
                     " was made with other settings of [input], [clean] or [graph] than the configuration has; " +
                     "run `cohort prepare` again");
  }
  if (partitioned && !graph.partition) {
    throw InputError(path + " has no partition; run `cohort partition` first");
  }
  return graph;
}

ModelFile load_model(const Session& session, const GraphFile& graph, const std::string& path, ModelPart part) {
  need(session, path, "train");
  auto model = read_model_file(session.comm(), path, part);
  if (const auto problem = why_other_model(session, model, path, &graph); !problem.empty()) {
    throw InputError(problem + "; run `cohort train` again");
  }
  return model;
}

SegmentsFile load_segments(const Session& session, const GraphFile& graph) {
  const auto& comm = session.comm();
  const auto path = session.segments_path();
  need(session, path, "segment");
  auto result = read_segments_file(comm, path);
  const auto config = stored_config(result.provenance, path);
  const auto same = [](const IdTable& a, const IdTable& b) { return a.begin == b.begin && a.bytes == b.bytes; };
  if (comm.any(!same(result.users, graph.dataset.users) || !same(result.items, graph.dataset.items)) ||
      !same_inputs(result.provenance.inputs, graph.provenance.inputs) ||
      model_settings(config) != model_settings(session.config()) || config.segment != session.config().segment) {
    throw InputError(path + " was made from another graph or with other settings than the configuration has; run " +
                     "`cohort segment` again");
  }
  // What comes after clustering may have been set anew.
  result.provenance.configuration = to_toml(session.config());
  return result;
}

void write_graph(const Session& session, const GraphFile& graph) {
  write_graph_file(session.comm(), session.graph_path(), graph);
  spdlog::info("wrote {}", session.graph_path());
}

void write_model(const Session& session, const ModelFile& model, const std::string& path) {
  write_model_file(session.comm(), path, model);
  spdlog::info("wrote {}", path);
}

void write_segments(const Session& session, const SegmentsFile& segments) {
  write_segments_file(session.comm(), session.segments_path(), segments);
  spdlog::info("wrote {}", session.segments_path());
}

}  // namespace cohort
