// One run of a command that works from a configuration: who takes part, with what settings, and where files go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/config_options.hpp"
#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "store/directory_lock.hpp"
#include "store/provenance.hpp"

namespace cohort {

/// Threads of a rank: the configuration's, else OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else 1. Local.
std::int64_t choose_threads(std::int64_t configured);

/// What becomes of the output directory: a dry run leaves no trace.
enum class OutputDirectory { made, untouched };

class Session {
 public:
  /// Loads the configuration, sets the number of threads, agrees on the kernels' vector instructions, makes the output
  /// directory, which all ranks must see, and keeps it for this run alone as long as the session lives. Throws
  /// InputError. Collective.
  Session(const Communicator& comm, const ConfigOptions& options, OutputDirectory output = OutputDirectory::made);
  /// The same with a configuration that is there already, the same on all ranks.
  Session(Communicator comm, Config config, OutputDirectory output = OutputDirectory::made);

  const Communicator& comm() const { return comm_; }
  const Config& config() const { return config_; }
  std::int64_t threads() const { return threads_; }
  /// A file of the output directory.
  std::string path(const std::string& name) const;
  std::string graph_path() const { return path("graph.h5"); }
  std::string model_path() const { return path("model.h5"); }
  CheckpointChoice checkpoint() const { return checkpoint_; }
  /// Notes that this run has left more training on disk than it found, for whoever asks whether another one would come
  /// further. Local.
  void note_progress() const { *progressed_ = true; }
  bool has_progressed() const { return *progressed_; }
  /// The embedding that the weight of the blend is learnt with; it and its checkpoints are kept as model.h5 is.
  std::string validation_path() const { return path("validation.h5"); }
  std::string segments_path() const { return path("segments.h5"); }
  /// Of a file that this session writes.
  Provenance provenance(const std::vector<InputFile>& inputs) const;

 private:
  Communicator comm_;
  Config config_;
  std::int64_t threads_ = 1;
  CheckpointChoice checkpoint_ = CheckpointChoice::newest;
  std::shared_ptr<DirectoryLock> lock_;
  std::shared_ptr<bool> progressed_ = std::make_shared<bool>(false);  ///< one of all copies
};

/// Sets the threads and the vector target of this process. Collective.
void prepare_process(const Communicator& comm, std::int64_t threads);

/// The part of a configuration that decides what the graph holds, and the part that decides what is learnt from it, as
/// text: equal texts, equal results. Paths are left out, as the inputs' SHA-256 stand for them. Local.
std::string graph_settings(const Config& config);
std::string model_settings(const Config& config);

}  // namespace cohort
