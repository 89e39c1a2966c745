#include "cli/stored_config.hpp"

#include <algorithm>

namespace cohort {

Config stored_config(const Provenance& provenance, const std::string& path) {
  return parse_config(provenance.configuration, path + " (its configuration)", "/", {});
}

bool same_inputs(const std::vector<InputFile>& a, const std::vector<InputFile>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const InputFile& x, const InputFile& y) { return x.sha256 == y.sha256; });
}

}  // namespace cohort
