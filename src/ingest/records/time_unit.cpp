#include "ingest/records/time_unit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/number_text.hpp"
#include "ingest/records/time_text.hpp"

namespace cohort {

namespace {

// Whether the time's column says that it holds dates: only then are small numbers those of a spreadsheet.
bool called_date(const FileLayout& layout, const std::vector<std::string>& names) {
  if (names.empty()) return false;
  const auto name = plain_name(names[layout.time]);
  for (auto at = name.find("date"); at != std::string::npos; at = name.find("date", at + 1)) {
    if (at < 2 || name.compare(at - 2, 2, "up") != 0) return true;  // no "update"
  }
  return false;
}

constexpr double seconds_of_year = 31'556'952;
// Of years in which there were logs; earlier and later numbers are counted from elsewhere.
constexpr double begin_of_logs = 21 * seconds_of_year;
constexpr double end_of_logs = 130 * seconds_of_year;

// The largest of a column's numbers, as seconds; 0: there are none.
double latest_of(const FileLayout& layout, const std::vector<std::string>& fields) {
  double largest = 0;
  for (const auto& field : fields) {
    const auto number = read_number(trimmed(field));
    if (!number.fault) largest = std::max(largest, std::abs(number.value));
  }
  return largest / layout.time_divisor;
}

}  // namespace

void choose_time_unit(FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request) {
  const auto& data = seen.data;
  if (layout.time < 0) return;
  layout.date_order = request.date_order;
  layout.given_order = request.date_order != DateOrder::automatic;
  for (const auto& row : data) {
    if (static_cast<std::size_t>(layout.time) >= row.size() || layout.date_order != DateOrder::automatic) continue;
    if (const auto date = read_date(row[layout.time])) layout.date_order = date->shown;
  }
  const auto unit = request.time_unit;
  if (unit != TimeUnit::automatic) {
    layout.time_divisor = unit == TimeUnit::milliseconds ? 1e3 : unit == TimeUnit::microseconds ? 1e6 : 1;
    return;
  }
  double largest = 0;
  bool dates = true;
  bool days = true;
  for (const auto& row : data) {
    if (static_cast<std::size_t>(layout.time) >= row.size() || is_missing(row[layout.time])) continue;
    const auto text = trimmed(row[layout.time]);
    dates = dates && read_compact_date(text).has_value();
    if (!is_number(text)) continue;
    const auto value = read_number(text).value;
    largest = std::max(largest, std::abs(value));
    days = days && is_spreadsheet_day(value);
  }
  layout.compact_dates = dates && largest > 0;
  // Seconds are below 1e11 until the year 5138; milliseconds were there in 1973, and so on for smaller units.
  layout.time_divisor = largest < 1e11 ? 1 : largest < 1e14 ? 1e3 : largest < 1e17 ? 1e6 : 1e9;
  layout.told_unit = largest > 0 && !layout.compact_dates;
  layout.spreadsheet_days = largest > 0 && !layout.compact_dates && days && called_date(layout, seen.names);
  layout.small_times = layout.told_unit && largest < 1e8 && !layout.spreadsheet_days;
}

bool are_dates(const FileLayout& layout, const std::vector<std::string>& fields) {
  if (layout.compact_dates || layout.spreadsheet_days) return true;
  const auto latest = latest_of(layout, fields);
  if (latest > 0) return latest >= begin_of_logs && latest < end_of_logs;
  return std::ranges::any_of(fields, [](const std::string& field) { return read_date(field).has_value(); });
}

void warn_of_years(const FileLayout& layout, const ColumnsSeen& seen, const LayoutRequest& request,
                   std::vector<std::string>& warnings) {
  if (layout.time < 0 || request.role != FileRole::interactions || !request.columns.empty()) return;
  const auto latest = latest_of(layout, fields_of(seen.data, layout.time));
  const bool elsewhere = layout.told_unit && !layout.small_times && !layout.spreadsheet_days;
  if (!elsewhere || (latest >= begin_of_logs && latest < end_of_logs)) return;
  warnings.push_back(
      column_text(layout.time, seen.names) + ", read as the time, would be of the year " +
      std::to_string(1970 + static_cast<std::int64_t>(std::min(latest / seconds_of_year, 1e9))) +
      "; where it only counts, its order is right, and with input.columns it is not spoken of; where it counts from "
      "another year than 1970, as .NET's ticks, Windows' file times and browsers' histories do, write it as seconds "
      "since 1970 or as 2014-04-07 12:30:00");
}

}  // namespace cohort
