// What the two halves of the preloaded library share.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// Whether faults are meant for this process: it is a rank, and the one that COHORT_FAULT_RANK names, if any.
int fault_rank_is_meant(void);

/// Appends a line, which ends in a newline, to what this rank tells.
void fault_log(const char* line);

#ifdef __cplusplus
}
#endif
