// model.h5: a trained model, which is also a checkpoint. Rows are in the order of nodes, so any number of ranks goes on
// from what any number wrote.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "store/provenance.hpp"

namespace cohort {

/// This rank's even block of the N nodes, in matrices of d columns.
struct ModelState {
  std::int64_t epochs = 0;  ///< trained so far
  Matrix embedding;         ///< propagated: what is clustered and ranked
  Matrix parameters;        ///< layer 0: what is trained
  Matrix first_moment;      ///< of Adam
  Matrix second_moment;
  std::vector<double> loss;  ///< of every epoch, the same on all ranks
};

struct ModelFile {
  ModelState model;
  std::int64_t shards = 0;
  std::int64_t graph_hash = 0;  ///< store/graph_hash.hpp: what it was trained on
  std::int64_t partition_hash = 0;
  Provenance provenance;
  History history;
};

/// Where the model goes that was at `path` before: model.previous.h5 for model.h5.
std::string previous_model_path(const std::string& path);

/// The file that stood at `path` stands at previous_model_path(path) afterwards. Throws InputError, RunError.
/// Collective.
void write_model_file(const Communicator& comm, const std::string& path, const ModelFile& model);

/// header: no matrix; trained: embedding and parameters.
enum class ModelPart { header, embedding, trained, everything };

/// Matrices that `part` does not name are left empty. Throws InputError: missing, no model file, damaged.
/// Collective.
ModelFile read_model_file(const Communicator& comm, const std::string& path, ModelPart part);

}  // namespace cohort
