// What the files of earlier commands say of how they were made. Local.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "store/provenance.hpp"

namespace cohort {

/// The configuration inside the file at `path`. Throws InputError where this Cohort cannot read it.
Config stored_config(const Provenance& provenance, const std::string& path);

/// The same of the result at `path`, of which nothing else is read. Throws InputError also where it is no result. The
/// same on all ranks. Collective.
Config stored_config_of(const Communicator& comm, const std::string& path);

/// Whether two files were made from the same bytes, wherever they stood.
bool same_inputs(const std::vector<InputFile>& a, const std::vector<InputFile>& b);

}  // namespace cohort
