#include "ingest/records/time_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

#include "ingest/records/field_shape.hpp"
#include "ingest/records/number_text.hpp"

namespace cohort {

namespace {

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Takes what a time is made of from the front of a text.
class Taker {
 public:
  explicit Taker(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  void skip_blanks() {
    while (take(' ')) continue;
  }
  // A number of `fewest` to `most` digits; -1: there is none.
  int number(std::size_t fewest, std::size_t most) {
    std::size_t digits = 0;
    int value = 0;
    while (digits < most && digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9') {
      value = 10 * value + (text_[digits++] - '0');
    }
    if (digits < fewest) return -1;
    text_.remove_prefix(digits);
    return value;
  }
  // The digits behind a decimal point, as one number of the form 0.digits.
  double fraction() {
    double value = 0;
    double scale = 1;
    std::int64_t digits = 0;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      if (digits++ < 15) {
        value = 10 * value + (text_[0] - '0');
        scale *= 10;
      }
      text_.remove_prefix(1);
    }
    return value / scale;
  }
  // A word in any case that begins with three letters of `words`, from 0 as they stand there; -1: none of them.
  int word_of(std::string_view words) {
    std::string start;
    for (const char c : text_.substr(0, 3)) start += small(c);
    const auto at = start.size() < 3 ? std::string_view::npos : words.find(start);
    if (at == std::string_view::npos || at % 3 != 0) return -1;
    while (!text_.empty() && small(text_[0]) >= 'a' && small(text_[0]) <= 'z') text_.remove_prefix(1);
    return static_cast<int>(at / 3);
  }
  // The '-' of DB2's 2015-01-05-10.15.30: hours and a point stand behind it, no zone.
  bool take_before_points() { return text_.size() > 3 && text_[0] == '-' && text_[3] == '.' && take('-'); }
  // Over letters and these others; false: there are none.
  bool skip_letters(std::string_view others) {
    std::size_t count = 0;
    while (count < text_.size() && ((small(text_[count]) >= 'a' && small(text_[count]) <= 'z') ||
                                    others.find(text_[count]) != std::string_view::npos)) {
      ++count;
    }
    text_.remove_prefix(count);
    return count > 0;
  }
  // A day of a month, as 5, 05 or 5th; -1: none.
  int day() {
    const int number_of_day = number(1, 2);
    for (const std::string_view ending : {"st", "nd", "rd", "th"}) {
      if (number_of_day > 0 && take(ending)) break;
    }
    return number_of_day;
  }
  // The first of `characters` that stands here; '\0': none.
  char take_any(std::string_view characters) {
    if (text_.empty() || characters.find(text_[0]) == std::string_view::npos) return '\0';
    const char found = text_[0];
    text_.remove_prefix(1);
    return found;
  }

 private:
  std::string_view text_;
};

std::optional<std::int64_t> day_of(int year, int month, int day) {
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)});
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

constexpr double seconds_of_day = 86'400;

// Hours of the day from those of half a day, where AM or PM stands behind them; -1: there are none such.
int hour_of_day(Taker& text, int hour) {
  auto rest = text;
  rest.skip_blanks();
  const char half = small(rest.take_any("AaPp"));
  rest.take('.');
  if (half == '\0' || rest.take_any("Mm") == '\0') return hour;
  rest.take('.');
  text = rest;
  return hour < 1 || hour > 12 ? -1 : hour % 12 + (half == 'p' ? 12 : 0);
}

// Behind hhmm: ss and a fraction, or nothing.
std::optional<double> time_of_digits(Taker& text, int hour, int minute) {
  const int second = text.number(2, 2);
  const double fraction = second >= 0 && text.take('.') ? text.fraction() : 0;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return 3600.0 * hour + 60.0 * minute + (second < 0 ? 0 : second) + fraction;
}

// hh:mm, hh:mm:ss, hh:mm:ss.fff, each with AM or PM or without, and 24:00; hh alone at the end; none: no such time.
std::optional<double> time_of_day(Taker& text) {
  int hour = text.number(1, 2);
  if (hour < 0 || hour > 24) return std::nullopt;
  if (text.empty()) return 3600.0 * hour;
  if (const int minute = text.number(2, 2); minute >= 0) return time_of_digits(text, hour, minute);
  // Oracle and DB2 have points between.
  const char separator = text.take_any(":.");
  if (separator == '\0') return std::nullopt;
  const int minute = text.number(2, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  int second = 0;
  double fraction = 0;
  if (text.take(separator)) {
    second = text.number(2, 2);
    // 60: a leap second.
    if (second < 0 || second > 60) return std::nullopt;
    if (text.take('.') || text.take(',')) fraction = text.fraction();
  }
  hour = hour_of_day(text, hour);
  if (hour < 0) return std::nullopt;
  return 3600.0 * hour + 60.0 * minute + second + fraction;
}

// Passes over what calls the zone by another name: "[Europe/Berlin]", as Java prints it behind "+01:00" or "Z",
// " (CET)", as JavaScript does, " UTC" or " CET", as Go does behind "+0100".
void skip_name_of_zone(Taker& text) {
  auto rest = text;
  rest.skip_blanks();
  const char open = rest.take_any("[(");
  if (!rest.skip_letters(open == '\0' ? "" : "/_+- ")) return;
  if (open == '\0' || rest.take(open == '[' ? ']' : ')')) text = rest;
}

// Seconds east of Greenwich of Z, UTC, GMT, +hh, +hhmm, +hh:mm, GMT+hhmm; nothing: 0.
std::optional<double> zone(Taker& text) {
  text.skip_blanks();
  const bool named = text.take('Z') || text.take('z') || text.take("UTC") || text.take("GMT");
  const double sign = text.take('+') ? 1.0 : text.take('-') ? -1.0 : 0.0;
  double east = 0;
  if (sign != 0.0) {
    const int hours = text.number(2, 2);
    text.take(':');
    const int minutes = text.number(2, 2);
    if (hours < 0 || hours > 15 || minutes > 59) return std::nullopt;
    east = sign * (3600.0 * hours + 60.0 * (minutes < 0 ? 0 : minutes));
  }
  if (named || sign != 0.0) skip_name_of_zone(text);
  return east;
}

constexpr std::string_view weekdays = "montuewedthufrisatsun";
constexpr std::string_view months = "janfebmaraprmayjunjulaugsepoctnovdec";

// Four digits, or two: 69 is 1969, 68 is 2068.
int take_year(Taker& text) {
  const int year = text.number(4, 4);
  if (year >= 0) return year;
  const int short_year = text.number(2, 2);
  return short_year < 0 ? -1 : short_year + (short_year < 69 ? 2000 : 1900);
}

// The day of a date that begins with digits and no year: 25-Aug-2014, 25 August 2014, 11/1/2000, 1.11.2000.
std::optional<std::int64_t> take_day(Taker& text, DateOrder order, DateRead& read) {
  const int first = text.day();
  // 01JAN2024, as SAS and Stata write it, has none.
  const char separator = text.take_any("/-. ");
  if (first < 0) return std::nullopt;
  if (const int month = text.word_of(months); month >= 0) {
    text.take_any("/-. ,");
    text.skip_blanks();
    return day_of(take_year(text), month + 1, first);
  }
  if (separator == '\0') return std::nullopt;
  const int second = text.number(1, 2);
  // "09 13, 2009", as Amazon's reviews have it.
  if (separator == ' ' && text.take(',')) {
    text.skip_blanks();
    return day_of(text.number(4, 4), first, second);
  }
  if (separator == ' ' || !text.take(separator)) return std::nullopt;
  const int year = take_year(text);
  const auto day_first = day_of(year, second, first);
  // Nobody writes months first and points between.
  if (separator == '.') return day_first;
  const auto month_first = day_of(year, first, second);
  read.numeric = true;
  if (day_first.has_value() != month_first.has_value()) {
    read.shown = day_first ? DateOrder::day_first : DateOrder::month_first;
  }
  return day_first && (order == DateOrder::day_first || !month_first) ? day_first : month_first;
}

// "Tue Apr 03 18:00:09 +0000 2012" from its time on, as services print it.
std::optional<double> read_before_year(Taker text, int month, int day) {
  const auto time = time_of_day(text);
  if (!time) return std::nullopt;
  text.skip_blanks();
  double east = 0;
  int year = text.number(4, 4);
  if (year < 0) {
    const auto found = zone(text);
    text.skip_blanks();
    year = text.number(4, 4);
    if (!found) return std::nullopt;
    east = *found;
  }
  const auto date = day_of(year, month, day);
  if (!date || !text.empty()) return std::nullopt;
  return seconds_of_day * static_cast<double>(*date) + *time - east;
}

// The seconds of a date, with a time of day behind it or nothing.
std::optional<double> with_time(std::optional<std::int64_t> day, Taker text) {
  if (!day) return std::nullopt;
  const auto date = seconds_of_day * static_cast<double>(*day);
  if (text.empty()) return date;
  text.take(',');
  if (text.take_any("Tt :") == '\0' && !text.take_before_points()) return std::nullopt;
  text.skip_blanks();
  const auto time = time_of_day(text);
  if (!time) return std::nullopt;
  const auto east = zone(text);
  if (!east || !text.empty()) return std::nullopt;
  return date + (*time - *east);
}

// Behind the year that comes first: 2014-04-07, 2014-Apr-07, or 20140407T105109, which has a time behind it.
std::optional<double> read_behind_year(Taker text, int year) {
  const char separator = text.take_any("-/. ");
  if (const int month = text.word_of(months); month >= 0) {
    if (separator != '\0') text.take(separator);
    return with_time(day_of(year, month + 1, text.number(1, 2)), text);
  }
  if (separator == ' ') return std::nullopt;
  if (separator != '\0') {
    const int month = text.number(1, 2);
    if (!text.take(separator)) return std::nullopt;
    const auto day = day_of(year, month, text.number(1, 2));
    return with_time(day, text);
  }
  const int month = text.number(2, 2);
  const auto day = day_of(year, month, text.number(2, 2));
  if (text.empty()) return std::nullopt;
  return with_time(day, text);
}

// Milliseconds since 1970 in "/Date(1420453530000)/" or "/Date(1420453530000+0100)/", as .NET prints them: the zone
// says where, not when.
std::optional<double> read_ticks(std::string_view raw) {
  constexpr std::string_view open = "/Date(";
  constexpr std::string_view close = ")/";
  if (!raw.starts_with(open) || !raw.ends_with(close)) return std::nullopt;
  raw = raw.substr(open.size(), raw.size() - open.size() - close.size());
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), milliseconds);
  Taker rest(raw.substr(static_cast<std::size_t>(end - raw.data())));
  if (error != std::errc() || !zone(rest) || !rest.empty()) return std::nullopt;
  return static_cast<double>(milliseconds) / 1000;
}

std::optional<double> read_seconds(std::string_view raw, DateOrder order, DateRead& read) {
  if (raw.starts_with('/')) return read_ticks(raw);
  Taker text(raw);
  if (const int year = text.number(4, 4); year >= 0) return read_behind_year(text, year);
  if (text.word_of(weekdays) >= 0) {
    text.take(',');
    text.skip_blanks();
  }
  const int month = text.word_of(months);
  if (month < 0) {
    const auto day = take_day(text, order, read);
    return with_time(day, text);
  }
  text.take('.');
  text.skip_blanks();
  const int day = text.day();
  // A comma that stood for a decimal point is one by now.
  text.take_any(",.");
  text.skip_blanks();
  const int year = text.number(4, 4);
  return year < 0 ? read_before_year(text, month + 1, day) : with_time(day_of(year, month + 1, day), text);
}

}  // namespace

std::optional<DateRead> read_date(std::string_view text, DateOrder order) {
  DateRead read;
  const auto seconds = read_seconds(trimmed(text), order, read);
  if (!seconds) return std::nullopt;
  read.seconds = *seconds;
  return read;
}

std::optional<double> read_compact_date(std::string_view raw) {
  Taker text(trimmed(raw));
  const int year = text.number(4, 4);
  const int month = text.number(2, 2);
  const auto day = day_of(year, month, text.number(2, 2));
  if (!day || year < 1900 || year > 2099) return std::nullopt;
  const auto date = seconds_of_day * static_cast<double>(*day);
  if (text.empty()) return date;
  const int hour = text.number(2, 2);
  const int minute = text.empty() ? 0 : text.number(2, 2);
  const int second = text.empty() ? 0 : text.number(2, 2);
  // Hours from 1 to 24 end with the day.
  const bool is_end = hour == 24 && minute == 0 && second == 0;
  const bool is_time = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
  if ((!is_time && !is_end) || !text.empty()) return std::nullopt;
  return date + 3600.0 * hour + 60.0 * minute + second;
}

bool is_time(std::string_view text) {
  return is_number(text) || read_date(text).has_value();
}

}  // namespace cohort
