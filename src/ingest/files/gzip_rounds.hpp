// Inflating gzip files on some ranks and parsing them on all. File f is inflated by rank f mod P; in rounds, every
// inflating rank sends one block of whole lines to each rank.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/input_files.hpp"

namespace cohort {

/// Calls parse(f, block) on some rank for every block of lines of every gzip file f; at most 64 MiB (or one long line)
/// are under way on a rank. parse must not communicate. Throws InputError where a file is damaged. Collective.
void deal_out_gzip(const Communicator& comm, const std::vector<OpenedFile>& files,
                   const std::function<void(std::size_t, const LineBlock&)>& parse);

}  // namespace cohort
