#include "ingest/records/time_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

#include "ingest/records/field_shape.hpp"
#include "ingest/records/number_text.hpp"

namespace cohort {

namespace {

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
  // Three letters, from 0 as they stand in `words`; -1: none of them.
  int word_of(std::string_view words) {
    if (text_.size() < 3) return -1;
    const auto at = words.find(text_.substr(0, 3));
    if (at == std::string_view::npos || at % 3 != 0) return -1;
    text_.remove_prefix(3);
    return static_cast<int>(at / 3);
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

// hh:mm, hh:mm:ss, hh:mm:ss.fff, and 24:00; none: no such time.
std::optional<double> time_of_day(Taker& text) {
  const int hour = text.number(1, 2);
  if (hour < 0 || hour > 24 || !text.take(':')) return std::nullopt;
  const int minute = text.number(2, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  int second = 0;
  double fraction = 0;
  if (text.take(':')) {
    second = text.number(2, 2);
    // 60: a leap second.
    if (second < 0 || second > 60) return std::nullopt;
    if (text.take('.') || text.take(',')) fraction = text.fraction();
  }
  return 3600.0 * hour + 60.0 * minute + second + fraction;
}

// Seconds east of Greenwich of Z, UTC, GMT, +hh, +hhmm, +hh:mm; nothing: 0.
std::optional<double> zone(Taker& text) {
  text.skip_blanks();
  if (text.take('Z') || text.take('z') || text.take("UTC") || text.take("GMT")) return 0.0;
  const double sign = text.take('+') ? 1.0 : text.take('-') ? -1.0 : 0.0;
  if (sign == 0.0) return 0.0;
  const int hours = text.number(2, 2);
  text.take(':');
  const int minutes = text.number(2, 2);
  if (hours < 0 || hours > 15 || minutes > 59) return std::nullopt;
  return sign * (3600.0 * hours + 60.0 * (minutes < 0 ? 0 : minutes));
}

// "Tue Apr 03 18:00:09 +0000 2012", as services print it.
std::optional<double> read_printed(Taker text) {
  if (text.word_of("MonTueWedThuFriSatSun") < 0) return std::nullopt;
  text.take(',');
  text.skip_blanks();
  const int month = text.word_of("JanFebMarAprMayJunJulAugSepOctNovDec");
  text.skip_blanks();
  const int day = text.number(1, 2);
  text.skip_blanks();
  const auto time = time_of_day(text);
  if (month < 0 || !time) return std::nullopt;
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
  const auto date = day_of(year, month + 1, day);
  if (!date || !text.empty()) return std::nullopt;
  return seconds_of_day * static_cast<double>(*date) + *time - east;
}

}  // namespace

std::optional<double> read_date(std::string_view raw) {
  Taker text(trimmed(raw));
  const int year = text.number(4, 4);
  if (year < 0) return read_printed(Taker(trimmed(raw)));
  const char separator = text.take('-') ? '-' : text.take('/') ? '/' : '\0';
  if (separator == '\0') return std::nullopt;
  const int month = text.number(1, 2);
  if (!text.take(separator)) return std::nullopt;
  const auto day = day_of(year, month, text.number(1, 2));
  if (!day) return std::nullopt;
  const auto date = seconds_of_day * static_cast<double>(*day);
  if (text.empty()) return date;
  if (!text.take('T') && !text.take('t') && !text.take(' ')) return std::nullopt;
  const auto time = time_of_day(text);
  if (!time) return std::nullopt;
  const auto east = zone(text);
  if (!east || !text.empty()) return std::nullopt;
  return date + (*time - *east);
}

std::optional<double> read_compact_date(std::string_view raw) {
  Taker text(trimmed(raw));
  const int year = text.number(4, 4);
  const int month = text.number(2, 2);
  const auto day = day_of(year, month, text.number(2, 2));
  if (!day || !text.empty()) return std::nullopt;
  return seconds_of_day * static_cast<double>(*day);
}

bool is_time(std::string_view text) {
  return is_number(text) || read_date(text).has_value();
}

}  // namespace cohort
