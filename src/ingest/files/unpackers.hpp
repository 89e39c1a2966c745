// The libraries behind PackedFile.
#pragma once

#include <memory>

#include "ingest/files/packed_file.hpp"

namespace cohort {

/// Throws RunError: the library cannot be initialised. Local.
std::unique_ptr<Unpacker> make_unpacker(Packing packing);

}  // namespace cohort
