// "Did you mean": the name of a list that a mistyped one is nearest to. For messages.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cohort {

/// The name of least edit distance (Levenshtein; swapping two neighbours counts as one edit), the first of equals.
/// names must not be empty.
std::string nearest_name(std::string_view name, std::span<const std::string> names);

}  // namespace cohort
