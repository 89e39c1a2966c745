// What identifies an input file in a result: its name, size and SHA-256.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort {

/// SHA-256 of a file's bytes as 64 hexadecimal digits, read in bounded pieces. Throws InputError. Local.
std::string sha256_of_file(const std::string& path);

/// Describes the files; file f is read by rank f mod P. The paths of rank 0 go into the result. Collective.
std::vector<InputFile> describe_files(const Communicator& comm, const std::vector<std::string>& paths);

}  // namespace cohort
