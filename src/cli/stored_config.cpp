#include "cli/stored_config.hpp"

#include <algorithm>

#include "core/config_schema.hpp"
#include "core/error.hpp"
#include "store/h5.hpp"
#include "store/schema.hpp"
#include "train/choices.hpp"

namespace cohort {

Config stored_config(const Provenance& provenance, const std::string& path) {
  return parse_config(provenance.configuration, path + " (its configuration)", "/", {});
}

Config stored_config_of(const Communicator& comm, const std::string& path) {
  const h5::Reader file(comm, path);
  return stored_config(read_provenance(file, schema::segments_kind), path);
}

bool same_inputs(const std::vector<InputFile>& a, const std::vector<InputFile>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const InputFile& x, const InputFile& y) { return x.sha256 == y.sha256; });
}

}  // namespace cohort
