// How an input file is written: its format, its header, and which columns mean what. Decided once from the file's name
// and first lines, then used by the parser.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config.hpp"

namespace cohort {

enum class TextFormat : std::int32_t {
  tsv,       ///< tab
  csv,       ///< comma, or another character; double quotes as in RFC 4180
  ssv,       ///< runs of spaces or tabs
  ml,        ///< "::", as in the older MovieLens sets
  inter,     ///< RecBole: tab, with a header of name:type
  lightgcn,  ///< adjacency lists: user item item ..., by spaces
  json,      ///< an object a line
};

/// What the file's records are: (user, item), (user, user) or (user, label).
enum class FileRole : std::int32_t { interactions, social, labels };

/// Same on all ranks; trivially copyable, so that rank 0 can say it to the others.
struct FileLayout {
  TextFormat format = TextFormat::tsv;
  FileRole role = FileRole::interactions;
  std::int32_t columns = 0;  ///< fields that every line has; 0: any number (lightgcn)
  std::int32_t first = 0;    ///< column of the user
  std::int32_t second = 1;   ///< column of the item, the other user or the label
  std::int32_t weight = -1;  ///< -1: none, every record weighs 1
  std::int32_t time = -1;
  std::int32_t event = -1;        ///< what kind of interaction a record is
  std::int32_t split = -1;        ///< whether a record is held out; only where input.columns names it
  std::int64_t data_begin = 0;    ///< bytes before the first line of data: byte order mark, header
  std::int64_t header_lines = 0;  ///< lines before data_begin
  char separator = ',';           ///< of csv
  char comment = '\0';            ///< lines that begin with it are none of data; '\0': there is none
  bool decimal_comma = false;     ///< numbers may be written as 3,5
  bool unescaped = false;         ///< backslashes that escape were read before (files/rewritten_text.hpp)
  bool ruled = false;             ///< lines such as ----+---- and the count of rows at the end are none of data
  bool compact_dates = false;     ///< times are dates such as 20140407
  bool small_times = false;       ///< times are numbers that are no seconds of any year in which there were logs
  bool spreadsheet_days = false;  ///< times are days since the end of 1899, with the time of day behind the point
  double time_divisor = 1;        ///< of times that are numbers, which gives seconds
  bool told_unit = false;         ///< it was told by their size, so that all must be of that size
  /// Of dates such as 11/1/2000; automatic: there was none in the first lines. Where it is not given by the user, all
  /// dates of the list have to agree with it.
  DateOrder date_order = DateOrder::automatic;
  bool given_order = false;
};

/// Whether a number may be a spreadsheet's day, of the years 1990 to 2118; days since 1970 are fewer. Local.
constexpr bool is_spreadsheet_day(double value) {
  return value >= 32'874 && value < 80'000;
}

/// Whether a number is a time of the unit that was told; 0 and what is near to it may be in any. Local.
constexpr bool has_told_unit(const FileLayout& layout, double value) {
  if (layout.spreadsheet_days) return is_spreadsheet_day(value);
  const double size = value < 0 ? -value : value;
  if (!layout.told_unit || size < 1e8) return true;
  return size < 1e11 * layout.time_divisor && (layout.time_divisor == 1 || size >= 1e8 * layout.time_divisor);
}

/// Seconds since 1970 of a time that is a number of the told unit; those of a spreadsheet to milliseconds, which is
/// what its days hold. Local.
inline double seconds_of(const FileLayout& layout, double value) {
  constexpr double day_1970 = 25'569;
  constexpr double milliseconds_of_day = 86'400'000;
  if (layout.spreadsheet_days) return std::round((value - day_1970) * milliseconds_of_day) / 1000;
  return value / layout.time_divisor;
}

/// Bytes that a line may have; a longer one is malformed.
constexpr std::size_t line_limit(const FileLayout& layout) {
  return std::size_t{1} << (layout.format == TextFormat::lightgcn ? 26 : 20);
}

/// (role, column name or index from 0), as input.columns.
using ColumnChoice = std::vector<std::pair<std::string, std::string>>;

/// What is known before a file is looked at.
struct LayoutRequest {
  FileRole role = FileRole::interactions;
  InputFormat format = InputFormat::automatic;
  ColumnChoice columns;
  std::optional<bool> header;      ///< whether the first line is one; none: it is told
  bool settable = true;            ///< whether the user can set [input] for this file; else messages do not speak of it
  bool has_format_option = false;  ///< whether the command has --format for it
  std::string separator = "auto";  ///< as input.separator
  std::string encoding = "auto";   ///< as input.encoding
  TimeUnit time_unit = TimeUnit::automatic;
  DateOrder date_order = DateOrder::automatic;
};

/// What to do about a format that cannot be told: how to name it, one of `formats`, in a setting or option that there
/// is for the file; empty: there is none. Local.
std::string format_remedy(const LayoutRequest& request, std::string_view formats);

/// What is said about a layout.
struct LayoutNotes {
  std::string header;                 ///< the header's line, as it stands; empty: there is none
  std::string header_of;              ///< the file of the list that names this file's columns; empty: itself, or none
  std::vector<std::string> names;     ///< of the columns, without RecBole's types; empty: they have none
  std::vector<std::string> sample;    ///< the fields of the first line of data
  std::vector<std::string> warnings;  ///< what looks as if it were misread, with what to do, without the file's name
  bool grouped_by_second = false;     ///< nothing but order tells the columns, and all lines of one item stand together
};

struct DetectedLayout {
  FileLayout layout;
  LayoutNotes notes;
};

/// `head`: the file's first bytes (decompressed), whole lines but perhaps for the last; `name`: for messages and the
/// extension. Throws InputError: the file is empty, the format cannot be told (asks for input.format and shows a line),
/// a chosen column is not there. Local.
DetectedLayout detect_layout(std::string_view head, const std::string& name, const LayoutRequest& request);

/// The same for files of one list, which may be the parts of one table: a file without a header has the columns of the
/// first file of the list that has one, if they agree in separator and number of columns. Files that differ are warned
/// of. head(f): the first bytes of file f, called once for each. Local.
std::vector<DetectedLayout> detect_layouts(const std::vector<std::string>& names, const LayoutRequest& request,
                                           const std::function<std::string(std::size_t)>& head);

/// The fields of a file's first lines, as many as a layout is told from.
struct HeadTable {
  TextFormat format = TextFormat::tsv;
  std::vector<std::string> names;              ///< of the columns; empty: they have none
  std::vector<std::vector<std::string>> data;  ///< without a header
};

/// head, name: as for detect_layout. Throws InputError: the format cannot be told. Local.
HeadTable head_table(std::string_view head, const std::string& name, const LayoutRequest& request);

/// Whether there is nothing in a file that begins so. Local.
bool is_empty_head(std::string_view head);

/// The header line of a table whose first column holds ids.
struct TableHeader {
  FileLayout layout;               ///< format (tsv or csv), columns, data_begin, header_lines
  std::vector<std::string> names;  ///< of all columns, without RecBole's types
  std::vector<std::string> types;  ///< RecBole's: token, token_seq, float, float_seq; empty: the header has none
  LayoutNotes notes;               ///< the same names, the header and the first line of data
};

/// head, name: as for detect_layout. A table by "::" or '|' whose first line starts with a number has no header: its
/// columns are called column_1 and so on. Throws InputError: the file is empty but for its header, has one column, or
/// a header that names none, or one twice. Local.
TableHeader detect_table(std::string_view head, const std::string& name);

}  // namespace cohort
