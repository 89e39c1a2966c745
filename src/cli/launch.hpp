// Whether the processes that were started are one run: as many ranks as the launcher started, of the same program, with
// the same command line. Looked at before anything is done with the arguments.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "comm/launched_tasks.hpp"

namespace cohort {

/// Why these ranks are not the tasks that were started (each a run of its own, all in one directory) and what to do;
/// empty if they are. Local.
std::string launch_fault(const Communicator& comm, const LaunchedTasks& tasks);

/// Throws InputError, which names what differs, where a rank has another version of the program or another command line
/// than rank 0. Collective.
void need_same_command(const Communicator& comm, int argc, const char* const* argv);

/// Relative paths start where rank 0 works: every rank goes there, if it is there. Collective.
void work_where_root_does(const Communicator& comm);

}  // namespace cohort
