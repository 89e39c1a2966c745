// Numbers as a person reads them, for messages of every room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cohort {

/// 1234567 as "1,234,567".
std::string with_commas(std::int64_t number);

/// "1 user", "2 users", "1,234 users". `many`: the plural where it is not `one` and an s.
std::string counted(std::int64_t number, std::string_view one, std::string_view many = "");

/// The noun alone, as `counted` chooses it.
std::string noun(std::int64_t number, std::string_view one, std::string_view many = "");

}  // namespace cohort
