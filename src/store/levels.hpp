// /users/levels and /segments/levels of segments.h5: nested segments. Collective, all of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "result/segments.hpp"
#include "store/h5.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// What segments are called, of that dataset; empty where there is none: that is their rows then. Throws InputError
/// where they do not ascend.
std::vector<std::int64_t> read_numbers(const h5::Reader& file, const std::string& name, std::int64_t count);

/// Nothing where there is one level.
void write_levels(const Communicator& comm, h5::Writer& file, const SegmentsFile& result);

/// Fills result.segments.levels and result.additions, as far as `part` goes; the other fields of that part are there
/// already. Throws InputError: damaged, segments that do not lie inside each other, numbers that do not fit.
void read_levels(const Communicator& comm, const h5::Reader& file, SegmentsPart part, SegmentsFile& result);

}  // namespace cohort
