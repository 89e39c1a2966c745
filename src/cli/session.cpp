#include "cli/session.hpp"

#include <omp.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cli/output/logging.hpp"
#include "cli/signals.hpp"
#include "cli/version.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "kernels/dispatch.hpp"
#include "store/model_file.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

// OMP_NUM_THREADS may be a list, of which the first counts.
std::int64_t positive_number(const char* text) {
  std::int64_t number = 0;
  if (text) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

}  // namespace

std::int64_t choose_threads(std::int64_t configured) {
  if (configured > 0) return configured;
  for (const char* name : {"OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"}) {
    if (const auto number = positive_number(std::getenv(name)); number > 0) return number;
  }
  return 1;
}

void prepare_process(const Communicator& comm, std::int64_t threads) {
  omp_set_num_threads(static_cast<int>(threads));
  const auto common = comm.common_bits(vector_targets());
  comm.attempt([&] {
    if (common == 0) throw RunError("the ranks run on machines without common vector instructions");
    restrict_vector_targets(common);
  });
}

Session::Session(const Communicator& comm, const ConfigOptions& options, OutputDirectory output)
    : Session(comm, load_config(comm, options), output) {
  checkpoint_ = options.checkpoint;
}

Session::Session(Communicator comm, Config config, OutputDirectory output)
    : comm_(std::move(comm)), config_(std::move(config)) {
  // The first rank's environment counts: ranks of different width would still agree, but the file states one number.
  threads_ = choose_threads(config_.threads);
  comm_.broadcast(std::span<std::int64_t>(&threads_, 1));
  prepare_process(comm_, threads_);
  SignalWatch::set_stall_minutes(config_.output.stall_minutes);
  comm_.attempt([&] {
    if (!comm_.is_root() || output == OutputDirectory::untouched) return;
    std::error_code error;
    std::filesystem::create_directories(config_.output.directory, error);
    if (error || !std::filesystem::is_directory(config_.output.directory)) {
      throw InputError("cannot make the directory " + config_.output.directory +
                       " (output.directory): " + (error ? error.message() : "there is a file of that name"));
    }
  });
  if (output == OutputDirectory::untouched) return;
  need_same_directory(comm_, config_.output.directory, "output.directory");
  lock_ = std::make_shared<DirectoryLock>(comm_, config_.output.directory);
  if (!lock_->holds()) {
    spdlog::warn("the file system of {} has no locks; see that no second run writes there", config_.output.directory);
  }
  comm_.attempt([&] {
    if (!comm_.is_root()) return;
    for (const auto& file :
         {graph_path(), model_path(), previous_model_path(model_path()), validation_path(), segments_path()}) {
      if (std::filesystem::is_directory(file)) {
        throw InputError("cannot write " + file + ": there is a directory of that name; move it away");
      }
    }
  });
}

std::string Session::path(const std::string& name) const {
  return (std::filesystem::path(config_.output.directory) / name).string();
}

Provenance Session::provenance(const std::vector<InputFile>& inputs) const {
  return {version(),          git_revision(), to_toml(config_),
          config_.train.seed, comm_.size(),   threads_,
          vector_target(),    inputs,         {}};
}

namespace {

// Files of features are told by their names alone: they may have moved, and are checked by their bytes.
std::vector<std::string> names_of(std::vector<std::string> paths) {
  for (auto& path : paths) path = std::filesystem::path(path).filename().string();
  return paths;
}

}  // namespace

std::string graph_settings(const Config& config) {
  Config part;
  part.input.user_features = names_of(config.input.user_features);
  part.input.item_features = names_of(config.input.item_features);
  part.input.user_feature_ids = names_of({config.input.user_feature_ids}).front();
  part.input.item_feature_ids = names_of({config.input.item_feature_ids}).front();
  part.input.format = config.input.format;
  part.input.header = config.input.header;
  part.input.separator = config.input.separator;
  part.input.encoding = config.input.encoding;
  part.input.time_unit = config.input.time_unit;
  part.input.date_order = config.input.date_order;
  part.input.holdout_last = config.input.holdout_last;
  part.input.columns = config.input.columns;
  part.input.holdout = config.input.holdout;
  if (config.input.holdout > 0) part.input.holdout_split = config.input.holdout_split;
  part.clean = config.clean;
  part.clean.max_bad_lines = 0;
  part.graph = config.graph;
  if (config.graph.kind != GraphKind::user) {
    const GraphConfig unused;
    part.graph.similarity = unused.similarity;
    part.graph.neighbours = unused.neighbours;
    part.graph.max_item_users = unused.max_item_users;
  }
  if (config.input.holdout > 0 && config.input.holdout_split == HoldoutSplit::random)
    part.train.seed = config.train.seed;
  return to_toml(part);
}

std::string model_settings(const Config& config) {
  Config part;
  part.input.user_feature_scaling = config.input.user_feature_scaling;
  part.input.item_feature_scaling = config.input.item_feature_scaling;
  part.partition = config.partition;
  part.model = config.model;
  part.model.encoder = encoder_of(config);
  if (part.model.encoder == EncoderKind::spectral) {
    part.model.layers = Config().model.layers;
    part.train.seed = config.train.seed;
    // Without nodes that are items there are as many columns as segments, weighed by what k-means finds with them.
    if (!items_are_nodes(config)) {
      part.model.dim = Config().model.dim;
      part.segment = config.segment;
      part.segment.previous.clear();
      part.segment.stickiness = 0;
    }
    return graph_settings(config) + to_toml(part);
  }
  part.train = config.train;
  if (config.train.loss == LossKind::bpr) {
    part.train = with_choices(config.train, 0);  // the same whatever the number of users
    // Without a schedule more of them go on; the joint phase is at their end.
    if (!config.train.joint) part.train.epochs = 0;
  }
  if (config.train.loss == LossKind::dmon || config.train.joint) part.segment.count = config.segment.count;
  if (config.train.joint) {
    part.segment.restarts = config.segment.restarts;
    part.segment.max_iterations = config.segment.max_iterations;
    part.segment.tolerance = config.segment.tolerance;
  }
  part.train.initial = names_of({config.train.initial}).front();  // told by its bytes
  part.train.minutes = 0;
  part.train.checkpoint_every = 0;
  part.train.checkpoint_minutes = 0;
  return graph_settings(config) + to_toml(part);
}

}  // namespace cohort
