// Times as text: ISO 8601 and what is near to it.
#pragma once

#include <optional>
#include <string_view>

namespace cohort {

/// Seconds since 1970 in UTC: a date (2014-04-07, 2014/04/07), with a time of day behind 'T' or a blank or without one,
/// to fractions of a second, with a zone (Z, UTC, +02:00) or without, which is taken as UTC; or as in "Tue Apr 03
/// 18:00:09 +0000 2012". None: it is no such time. Local.
std::optional<double> read_date(std::string_view text);

/// Of a date as eight digits, 20140407. Local.
std::optional<double> read_compact_date(std::string_view text);

/// A number, or what read_date reads. Local.
bool is_time(std::string_view text);

}  // namespace cohort
