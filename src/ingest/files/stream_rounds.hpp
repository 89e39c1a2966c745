// Files that only one rank can read, from their start: compressed ones, and text in other encodings. File f is unpacked
// by rank f mod P, and parsed by all: in rounds, every such rank sends one block of whole lines to each.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/input_files.hpp"

namespace cohort {

/// Calls parse(f, block) on some rank for every block of lines of every such file f; at most 64 MiB (or one long line)
/// are under way on a rank. parse must not communicate. Throws InputError where a file is damaged. Collective.
void deal_out(const Communicator& comm, const std::vector<OpenedFile>& files,
              const std::function<void(std::size_t, const LineBlock&)>& parse);

}  // namespace cohort
