// Which Cohort this is; the source is made by cmake/GitRevision.cmake at every build.
#pragma once

namespace cohort {

const char* version();       ///< of the project, "0.1.0"
const char* git_revision();  ///< abbreviated, "-dirty" where the checkout had changes; "unknown" outside a checkout

}  // namespace cohort
