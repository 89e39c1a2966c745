// Nested segments in words: what each level's segments are, and what they add to those above.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "result/segments.hpp"

namespace cohort {

/// A list of levels, the coarsest first: level (from 1), and its segments: segment, parent (null at the first level),
/// users, description, and what it adds to its parent (added, a line; not at the first level). Once `profile` has run;
/// empty where there is one level. Local.
nlohmann::ordered_json levels_json(const SegmentsFile& result);

/// The same as a tree for a person; empty where there is one level. Local.
std::string levels_tree(const SegmentsFile& result);

}  // namespace cohort
