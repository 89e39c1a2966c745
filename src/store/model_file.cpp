#include "store/model_file.hpp"

#include <filesystem>

#include "comm/distribution.hpp"
#include "store/checked_values.hpp"
#include "store/h5.hpp"
#include "store/schema.hpp"

namespace cohort {

std::string previous_model_path(const std::string& path) {
  const std::filesystem::path model(path);
  return (model.parent_path() / (model.stem().string() + ".previous" + model.extension().string())).string();
}

void write_model_file(const Communicator& comm, const std::string& path, const ModelFile& model) {
  const auto& state = model.model;
  h5::Writer file(comm, path);
  write_provenance(file, schema::model_kind, model.provenance);
  file.attribute(schema::shards, model.shards);
  file.attribute(schema::epochs, state.epochs);
  file.attribute(schema::graph_hash, model.graph_hash);
  file.attribute(schema::partition_hash, model.partition_hash);
  file.rows(schema::embedding, state.embedding.view());
  file.rows(schema::parameters, state.parameters.view());
  file.rows(schema::first_moment, state.first_moment.view());
  file.rows(schema::second_moment, state.second_moment.view());
  file.shared(schema::loss_history, std::span<const double>(state.loss));
  write_history(file, model.history);
  file.commit(previous_model_path(path));
}

ModelFile read_model_file(const Communicator& comm, const std::string& path, ModelPart part) {
  const h5::Reader file(comm, path);
  ModelFile result;
  result.provenance = read_provenance(file, schema::model_kind);
  result.shards = file.integer_attribute(schema::shards);
  result.model.epochs = file.integer_attribute(schema::epochs);
  result.graph_hash = file.integer_attribute(schema::graph_hash);
  result.partition_hash = file.integer_attribute(schema::partition_hash);
  file.expect_rows(schema::loss_history, result.model.epochs);
  result.model.loss = file.all<double>(schema::loss_history);
  result.history = read_history(file);
  if (part == ModelPart::header) return result;
  const auto shape = file.shape(schema::embedding);
  const auto nodes = Distribution::even(shape.at(0), comm.size());
  const auto block = [&](const char* name) {
    if (file.shape(name) != shape) throw file.wrong(name, "has another shape than /" + std::string(schema::embedding));
    auto matrix = file.matrix(name, nodes);
    check_finite(comm, file, name, matrix.view());
    return matrix;
  };
  result.model.embedding = block(schema::embedding);
  if (part != ModelPart::embedding) result.model.parameters = block(schema::parameters);
  if (part == ModelPart::everything) {
    result.model.first_moment = block(schema::first_moment);
    result.model.second_moment = block(schema::second_moment);
  }
  return result;
}

}  // namespace cohort
