# Run at every build: writes the revision of SOURCE to OUTPUT as a C++ source, only if it changed, so that a result
# names the code that made it. "-dirty": the checkout had changes; "unknown": it is no checkout.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include "cli/version.hpp"

namespace cohort {

const char* version() {
  return "@VERSION@";
}

const char* git_revision() {
  return "@revision@";
}

}  // namespace cohort
]])
