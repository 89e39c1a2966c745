#include "store/model_file.hpp"

#include <filesystem>
#include <span>

#include "comm/distribution.hpp"
#include "core/error.hpp"
#include "store/checked_values.hpp"
#include "store/h5.hpp"
#include "store/provenance.hpp"
#include "store/schema.hpp"

namespace cohort {

const Matrix& ModelState::parameters() const {
  const auto found = state.rows.find(layer_zero_rows);
  if (found != state.rows.end()) return found->second;
  throw InputError(std::string("model.h5 has no dataset /") + schema::state_rows + "/" + layer_zero_rows +
                   "; put back a copy, or run `cohort train` again");
}

std::string previous_model_path(const std::string& path) {
  const std::filesystem::path model(path);
  return (model.parent_path() / (model.stem().string() + ".previous" + model.extension().string())).string();
}

namespace {

// Names of what the optimiser keeps of a matrix begin so (train/learned_weights.cpp).
constexpr auto optimiser_state = "adam/";

std::string in_group(const char* group, const std::string& name) {
  return std::string(group) + "/" + name;
}

// Centres are for readers too.
std::string place_of(const std::string& replicated) {
  return replicated == centres_name ? schema::centres : in_group(schema::state_replicated, replicated);
}

std::vector<std::string> names_in(const h5::Reader& file, const std::string& group) {
  std::vector<std::string> names;
  for (const auto& dataset : file.datasets(group)) names.push_back(dataset.name.substr(group.size() + 1));
  return names;
}

}  // namespace

void write_model_file(const Communicator& comm, const std::string& path, const ModelFile& model) {
  const auto& state = model.model;
  h5::Writer file(comm, path);
  write_provenance(file, schema::model_kind, model.provenance);
  file.attribute(schema::shards, model.shards);
  file.attribute(schema::epochs, state.epochs);
  file.attribute(schema::step, state.step);
  file.attribute(schema::graph_hash, model.graph_hash);
  file.attribute(schema::partition_hash, model.partition_hash);
  file.rows(schema::embedding, state.embedding.view());
  for (const auto& [name, rows] : state.state.rows) file.rows(in_group(schema::state_rows, name), rows.view());
  for (const auto& [name, matrix] : state.state.replicated) file.shared(place_of(name), matrix.view());
  for (const auto& [name, number] : state.state.numbers) {
    file.shared(in_group(schema::state_numbers, name), std::span<const double>(&number, 1));
  }
  file.shared(schema::loss_history, std::span<const double>(state.loss));
  write_history(file, model.history);
  file.commit(previous_model_path(path));
}

ModelFile read_model_file(const Communicator& comm, const std::string& path, ModelPart part) {
  const h5::Reader file(comm, path);
  ModelFile result;
  result.provenance = read_provenance(file, schema::model_kind);
  result.shards = file.integer_attribute(schema::shards, 0);
  result.model.epochs = file.integer_attribute(schema::epochs, 0);
  result.model.step = file.integer_attribute(schema::step, 0);
  result.graph_hash = file.integer_attribute(schema::graph_hash);
  result.partition_hash = file.integer_attribute(schema::partition_hash);
  file.expect_rows(schema::loss_history, result.model.epochs);
  result.model.loss = file.all<double>(schema::loss_history);
  check_finite<double>(comm, file, schema::loss_history, result.model.loss);
  result.history = read_history(file);
  if (part == ModelPart::header) return result;
  if (part != ModelPart::checkpoint && result.model.step > 0) {
    throw InputError(path + " is of a training that was interrupted in the middle of epoch " +
                     std::to_string(result.model.epochs + 1) +
                     "; run `cohort train` or `cohort run` again to finish it");
  }
  const auto nodes = Distribution::even(file.shape(schema::embedding).at(0), comm.size());
  const auto block = [&](const std::string& name) {
    auto matrix = file.matrix(name, nodes);
    check_finite(comm, file, name, matrix.view());
    return matrix;
  };
  result.model.embedding = block(schema::embedding);
  // The optimiser keeps its own of layer 0, and of no other rows.
  const auto parameters = in_group(schema::state_rows, layer_zero_rows);
  if (!file.has(parameters) && !file.datasets(in_group(schema::state_rows, "adam")).empty()) {
    throw file.wrong(parameters, "is missing");
  }
  auto& state = result.model.state;
  const auto replicated = [&](const std::string& name) {
    state.replicated[name] = file.whole_matrix(place_of(name));
    check_finite(comm, file, place_of(name), state.replicated[name].view());
  };
  if (part == ModelPart::trained || part == ModelPart::checkpoint) {
    if (file.has(schema::centres)) replicated(centres_name);
  }
  if (part == ModelPart::trained) {
    for (const auto& name : names_in(file, schema::state_rows)) {
      if (name == layer_zero_rows) state.rows[name] = block(in_group(schema::state_rows, name));
    }
    for (const auto& name : names_in(file, schema::state_replicated)) {
      if (!name.starts_with(optimiser_state)) replicated(name);
    }
  }
  if (part == ModelPart::checkpoint) {
    for (const auto& name : names_in(file, schema::state_rows)) {
      state.rows[name] = block(in_group(schema::state_rows, name));
    }
    for (const auto& name : names_in(file, schema::state_replicated)) replicated(name);
    for (const auto& name : names_in(file, schema::state_numbers)) {
      const auto number = in_group(schema::state_numbers, name);
      file.expect_rows(number, 1);
      const auto value = file.all<double>(number);
      check_finite(comm, file, number, std::span<const double>(value));
      state.numbers[name] = value.front();
    }
  }
  return result;
}

}  // namespace cohort
