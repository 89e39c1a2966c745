#include "cli/stored_config.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "train/choices.hpp"

namespace cohort {

Config stored_config(const Provenance& provenance, const std::string& path) {
  return parse_config(provenance.configuration, path + " (its configuration)", "/", {});
}

bool same_inputs(const std::vector<InputFile>& a, const std::vector<InputFile>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const InputFile& x, const InputFile& y) { return x.sha256 == y.sha256; });
}

void refuse_network(const Config& config, const std::string& path, const std::string& command) {
  if (!is_network(config.model.encoder)) return;
  throw InputError(path + " was made with model.encoder = \"" +
                   (config.model.encoder == EncoderKind::gcn ? "gcn" : "sage") + "\", which " + command +
                   " cannot serve: it needs an embedding that is a sum over neighbours' rows; use \"lightgcn\" or " +
                   "\"spectral\" for it");
}

}  // namespace cohort
