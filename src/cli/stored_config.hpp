// What the files of earlier commands say of how they were made. Local.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"
#include "store/provenance.hpp"

namespace cohort {

/// The configuration inside the file at `path`. Throws InputError where this Cohort cannot read it.
Config stored_config(const Provenance& provenance, const std::string& path);

/// Whether two files were made from the same bytes, wherever they stood.
bool same_inputs(const std::vector<InputFile>& a, const std::vector<InputFile>& b);

/// For what needs an embedding that is a sum over neighbours' rows, which a network's is not. Throws InputError where
/// the model of `config`, which stands in `path`, is one. Local.
void refuse_network(const Config& config, const std::string& path, const std::string& command);

}  // namespace cohort
