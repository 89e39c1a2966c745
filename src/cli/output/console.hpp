// Standard output and standard error, which often end in one terminal or file: lines of one never cut those of the
// other in two. Whole lines go out in single writes, and before the other stream is written to, whoever reads the last
// one (mpirun, which passes on both) gets the time to have read it.
#pragma once

#include <string_view>

namespace cohort {

/// Writes lines to STDOUT_FILENO or STDERR_FILENO after what was written before to either, also by way of stdio.
/// Nothing is thrown: a standard output that cannot be written is noted for check_output. One thread at a time. Local.
void write_lines(int stream, std::string_view text);

/// Throws RunError where a line of standard output was lost. Local.
void check_output();

}  // namespace cohort
