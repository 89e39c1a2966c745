// model.h5: a trained model, which is also a checkpoint. Rows are in the order of nodes, so any number of ranks goes on
// from what any number wrote.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "core/saved_state.hpp"
#include "store/provenance.hpp"

namespace cohort {

/// This rank's even block of the N nodes, in matrices of d columns.
struct ModelState {
  std::int64_t epochs = 0;   ///< whole ones, trained so far
  std::int64_t step = 0;     ///< steps done of the epoch after them
  Matrix embedding;          ///< propagated: what is clustered and ranked
  SavedState state;          ///< what training goes on from
  std::vector<double> loss;  ///< of every whole epoch, the same on all ranks

  /// Layer 0: what is trained. Not of a network of features. Throws InputError, on all ranks alike, where the model was
  /// read from a file without it.
  const Matrix& parameters() const;
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

/// header: no matrix, also of a model in the middle of an epoch; trained: embedding and parameters, where there
/// are any (a network of features has none), weights, and what segments are made by where they were trained: centres,
/// or the head of dmon. checkpoint: everything, also of a model in the middle of an epoch.
enum class ModelPart { header, embedding, trained, checkpoint };

/// What `part` does not name is left out. Throws InputError: missing, no model file, damaged, or, for a part that is to
/// be used, in the middle of an epoch. Collective.
ModelFile read_model_file(const Communicator& comm, const std::string& path, ModelPart part);

}  // namespace cohort
