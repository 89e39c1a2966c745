// --log-file: what the program says on standard error, in a file too, with dates.
#pragma once

#include <string>

#include "comm/communicator.hpp"

namespace cohort {

/// From here on what is logged is also appended to the file, whatever standard error is. Throws InputError where it
/// cannot be opened. Collective.
void log_to_file(const Communicator& comm, const std::string& path);

/// A line for the file alone, if there is one: what a person sees as a bar, and how a run ends, on any rank. Where it
/// cannot be written it is lost. Local.
void add_to_log_file(const std::string& level, const std::string& text);

}  // namespace cohort
