// The stages' statistics in words, for the log and for standard output. All of them local: they print on rank 0 what is
// the same on all ranks.
#pragma once

#include <cstdint>
#include <string>

#include "core/words.hpp"
#include "data/dataset.hpp"
#include "ingest/prepare.hpp"
#include "ingest/records/input_report.hpp"

namespace cohort {

/// Bytes in the unit that suits: "3.2 GB" (powers of 1000).
std::string in_bytes(std::int64_t bytes);

/// What became of the pairs of a hold-out or a test file.
void log_test_pairs(const HoldoutStats& stats);
/// How each input file is read, and what looks misread.
void log_input(const InputReport& report);
/// How many lines and records `what` has, and which lines are malformed.
void log_read(const char* what, const ReadStats& read);

/// What was read, what each cleaning rule removed, what is left.
void log_prepare(const PrepareStats& stats, const Dataset& dataset, std::int64_t interactions,
                 std::int64_t social_edges);

/// The same as a table, one count a line.
std::string counts_text(const PrepareStats& stats, const Dataset& dataset, std::int64_t interactions,
                        std::int64_t social_edges);

}  // namespace cohort
