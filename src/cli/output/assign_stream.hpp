// `assign --stream`: a line of JSON in, a line of JSON out, for a process that stays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "assign/live_assigner.hpp"
#include "cli/output/answer_lines.hpp"

namespace cohort {

/// The answer to one line, {"user": ID, "items": [ID or {"item": ID, "weight": NUMBER}, ...]}; an ID is a string or a
/// whole number. What is wrong with a line is answered too: {"error": ..., "line": line_number}. Local.
std::string answer_line(LiveAssigner& assigner, const AnswerLines& lines, std::string_view line,
                        std::int64_t line_number);

/// How long lines took from being there to their answer being made, in seconds, rounded up by at most 1.1 %.
struct StreamLatency {
  std::int64_t lines = 0;
  double p50 = 0;  ///< of half of the lines, and of 99 %; 0 without lines
  double p99 = 0;
};

/// Answers the lines of standard input on standard output, each as soon as it is there, until the input ends. Throws
/// InputError where the input cannot be read, RunError where the output cannot be written. Local.
StreamLatency answer_stream(LiveAssigner& assigner, const AnswerLines& lines);

}  // namespace cohort
