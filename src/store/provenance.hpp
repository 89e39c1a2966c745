// The origin of a file and what was measured on the way, in all files of store/.
#pragma once

#include <string>

#include "result/provenance.hpp"
#include "store/h5.hpp"

namespace cohort {

/// Collective, as all below.
void write_provenance(h5::Writer& file, const std::string& kind, const Provenance& provenance);
/// Throws InputError: not a file of Cohort, another kind than expected, another schema version.
Provenance read_provenance(const h5::Reader& file, const std::string& kind);
/// The kind of a file of Cohort. Throws InputError: not one.
std::string file_kind(const h5::Reader& file);

void write_history(h5::Writer& file, const History& history);
History read_history(const h5::Reader& file);

}  // namespace cohort
