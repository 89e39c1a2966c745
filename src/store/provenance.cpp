#include "store/provenance.hpp"

#include "core/error.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

template <h5::Number T>
void read_group(const h5::Reader& file, const std::string& group, std::map<std::string, std::vector<T>>& values) {
  for (const auto& dataset : file.datasets(group)) {
    values[dataset.name.substr(group.size() + 1)] = file.all<T>(dataset.name);
  }
}

// Names of the three attributes that describe files.
struct FileAttributes {
  const char* path;
  const char* bytes;
  const char* sha256;
};

void write_files(h5::Writer& file, const FileAttributes& name, const std::vector<InputFile>& files) {
  std::vector<std::string> path;
  std::vector<std::int64_t> bytes;
  std::vector<std::string> sha256;
  for (const auto& one : files) {
    path.push_back(one.path);
    bytes.push_back(one.bytes);
    sha256.push_back(one.sha256);
  }
  file.attribute(name.path, path);
  file.attribute(name.bytes, bytes);
  file.attribute(name.sha256, sha256);
}

std::vector<InputFile> read_files(const h5::Reader& file, const FileAttributes& name) {
  const auto path = file.texts_attribute(name.path);
  const auto bytes = file.integers_attribute(name.bytes);
  const auto sha256 = file.texts_attribute(name.sha256);
  if (bytes.size() != path.size() || sha256.size() != path.size()) {
    throw InputError(file.path() + ": the attributes that describe its input files do not fit together");
  }
  std::vector<InputFile> files;
  for (std::size_t i = 0; i < path.size(); ++i) files.push_back({path[i], bytes[i], sha256[i]});
  return files;
}

}  // namespace

void write_provenance(h5::Writer& file, const std::string& kind, const Provenance& provenance) {
  file.attribute(schema::kind, kind);
  file.attribute(schema::schema_version, schema::version);
  file.attribute(schema::cohort_version, provenance.cohort_version);
  file.attribute(schema::git_revision, provenance.git_revision);
  file.attribute(schema::configuration, provenance.configuration);
  file.attribute(schema::seed, provenance.seed);
  file.attribute(schema::ranks, provenance.ranks);
  file.attribute(schema::threads, provenance.threads);
  file.attribute(schema::vector_target, provenance.vector_target);
  write_files(file, {schema::input_path, schema::input_bytes, schema::input_sha256}, provenance.inputs);
  if (!provenance.follows.empty()) {
    write_files(file, {schema::follows_path, schema::follows_bytes, schema::follows_sha256}, provenance.follows);
  }
}

std::string file_kind(const h5::Reader& file) {
  if (!file.has_attribute(schema::kind) || !file.has_attribute(schema::schema_version)) {
    throw InputError(file.path() + " is an HDF5 file, but not one of Cohort's");
  }
  const auto version = file.integer_attribute(schema::schema_version);
  auto kind = file.text_attribute(schema::kind);
  if (version == schema::version) return kind;
  const auto command = kind == schema::graph_kind      ? "`cohort prepare` and `cohort partition`"
                       : kind == schema::model_kind    ? "`cohort train`"
                       : kind == schema::segments_kind ? "`cohort segment`"
                                                       : "`cohort run`";
  throw InputError(file.path() + " has schema version " + std::to_string(version) + "; this Cohort reads version " +
                   std::to_string(schema::version) + ": make the file again by " + command +
                   ", or use the Cohort that made it");
}

Provenance read_provenance(const h5::Reader& file, const std::string& kind) {
  const auto found = file_kind(file);
  if (found != kind) throw InputError(file.path() + " is a " + found + " file; a " + kind + " file is needed here");
  Provenance result;
  result.cohort_version = file.text_attribute(schema::cohort_version);
  result.git_revision = file.text_attribute(schema::git_revision);
  result.configuration = file.text_attribute(schema::configuration);
  result.seed = file.integer_attribute(schema::seed);
  result.ranks = file.integer_attribute(schema::ranks, 0);
  result.threads = file.integer_attribute(schema::threads, 0);
  result.vector_target = file.text_attribute(schema::vector_target);
  result.inputs = read_files(file, {schema::input_path, schema::input_bytes, schema::input_sha256});
  if (file.has_attribute(schema::follows_path)) {
    result.follows = read_files(file, {schema::follows_path, schema::follows_bytes, schema::follows_sha256});
  }
  return result;
}

void write_history(h5::Writer& file, const History& history) {
  for (const auto& [phase, seconds] : history.timing) {
    file.shared(std::string(schema::timing) + "/" + phase, std::span<const double>(seconds));
  }
  for (const auto& [column, values] : history.choice) {
    file.shared(std::string(schema::choice) + "/" + column, std::span<const double>(values));
  }
  for (const auto& [column, values] : history.joint) {
    file.shared(std::string(schema::joint) + "/" + column, std::span<const double>(values));
  }
  for (const auto& [column, values] : history.count) {
    file.shared(std::string(schema::count_history) + "/" + column, std::span<const double>(values));
  }
  for (const auto& [what, counts] : history.traffic) {
    file.shared(std::string(schema::traffic) + "/" + what, std::span<const std::int64_t>(counts));
  }
}

History read_history(const h5::Reader& file) {
  History result;
  read_group(file, schema::timing, result.timing);
  read_group(file, schema::traffic, result.traffic);
  read_group(file, schema::choice, result.choice);
  read_group(file, schema::joint, result.joint);
  read_group(file, schema::count_history, result.count);
  return result;
}

}  // namespace cohort
