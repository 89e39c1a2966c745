// Times as text: ISO 8601 and what is near to it.
#pragma once

#include <optional>
#include <string_view>

#include "core/config.hpp"

namespace cohort {

struct DateRead {
  double seconds = 0;                      ///< since 1970 in UTC
  bool numeric = false;                    ///< 11/1/2000 or 11-1-2000: its order had to be known
  DateOrder shown = DateOrder::automatic;  ///< the only order in which it is a date; automatic: either, or not numeric
};

/// A date (2014-04-07, 2014/04/07, 7.4.2014, 25-Aug-2014, 25AUG2014, 2014-Aug-25, "Aug 25, 2014", "25th August 2014",
/// 4/7/2014, 20140407 where a time follows), with a time of day behind 'T', ':' or a blank or without one (10:51:09,
/// 10.51.09, 105109), to fractions of a second or hours alone, with AM or PM, with a zone (Z, UTC, +02:00) or without,
/// which is taken as UTC; or as in "Tue Apr 03 18:00:09 +0000 2012" and "/Date(1333476009000)/". order: of numeric
/// ones, where both can be; automatic: months first. None: it is no such time. Local.
std::optional<DateRead> read_date(std::string_view text, DateOrder order = DateOrder::automatic);

/// Seconds since 1970 of a date of digits alone: 20140407, 201404071230, 20140407123059. Local.
std::optional<double> read_compact_date(std::string_view text);

/// A number, or what read_date reads. Local.
bool is_time(std::string_view text);

}  // namespace cohort
