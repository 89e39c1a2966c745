#include "ingest/files/other_formats.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace cohort {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
  std::string_view remedy;
};

constexpr auto as_text = "write it as CSV, for example with pandas' to_csv(..., index=False)"sv;
constexpr auto unpack = "unpack it first"sv;
constexpr auto as_utf8 =
    "set input.encoding = \"UTF-16LE\" or \"UTF-16BE\", or convert it, for example: iconv -f UTF-16 -t UTF-8"sv;
constexpr auto as_utf8_from_32 = "convert it, for example: iconv -f UTF-32 -t UTF-8"sv;

constexpr std::array signatures = std::to_array<Signature>({
    {0, "PK\x03\x04"sv, "a zip archive (as .zip, .xlsx and .npz are)", "unpack it, or write the table as CSV"},
    {0, "PK\x05\x06"sv, "an empty zip archive", unpack},
    {0, "BZh"sv, "compressed with bzip2", "unpack it (bunzip2), or compress it with gzip"},
    {0, "\xFD\x37zXZ\x00"sv, "compressed with xz", "unpack it (unxz), or compress it with gzip"},
    {0, "\x28\xB5\x2F\xFD"sv, "compressed with zstd", "unpack it (unzstd), or compress it with gzip"},
    {0, "\x04\x22\x4D\x18"sv, "compressed with lz4", "unpack it (unlz4), or compress it with gzip"},
    {0, "\xFFsNaPpY"sv, "compressed with snappy", unpack},
    {0, "\x1F\x9D"sv, "compressed with compress (.Z)", "unpack it (uncompress), or compress it with gzip"},
    {0, "LZIP"sv, "compressed with lzip", unpack},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive", unpack},
    {0, "Rar!\x1A\x07"sv, "a rar archive", unpack},
    {257, "ustar"sv, "a tar archive", "unpack it (tar -xf) and name the files in it"},
    {0, "PAR1"sv, "a Parquet file", as_text},
    {0, "PARE"sv, "an encrypted Parquet file", as_text},
    {0, "ARROW1"sv, "an Arrow (Feather) file", as_text},
    {0, "FEA1"sv, "a Feather file", as_text},
    {0, "ORC"sv, "an ORC file", as_text},
    {0, "Obj\x01"sv, "an Avro file", as_text},
    {0, "\x93NUMPY"sv, "a NumPy array (.npy)", "write it as text, for example with numpy.savetxt"},
    {13, "HDF5 behind this block"sv, "an HDF5 file of Cohort's", "text is needed; see it by `cohort info`"},
    {0, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file", "write the table in it as CSV"},
    {0, "CDF\x01"sv, "a NetCDF file", as_text},
    {0, "CDF\x02"sv, "a NetCDF file", as_text},
    {0, "SQLite format 3\0"sv, "an SQLite database", "export the table, for example: sqlite3 -csv FILE 'select ...'"},
    {0, "MATLAB 5.0 MAT"sv, "a MATLAB file", as_text},
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Office file (.xls)", "save the table as CSV"},
    {0, "%PDF-1"sv, "a PDF file", "it holds no table that can be read"},
    {0, "RDX2\n"sv, "an R data file", "write it as CSV, with write.csv"},
    {0, "RDX3\n"sv, "an R data file", "write it as CSV, with write.csv"},
    {0, "<stata_dta>"sv, "a Stata file", as_text},
    {0, "\x00\x00\xFE\xFF"sv, "text in UTF-32", as_utf8_from_32},
    {0, "\xFF\xFE\x00\x00"sv, "text in UTF-32", as_utf8_from_32},
    {0, "\xFF\xFE"sv, "text in UTF-16", as_utf8},
    {0, "\xFE\xFF"sv, "text in UTF-16", as_utf8},
});

// A line as web servers write it, in the common or the combined log format: 10.0.0.1 - - [24/Feb/2017:22:09:19 +0000]
// "GET ...
bool is_server_log(std::string_view line) {
  const auto at = line.find(" [");
  if (at == std::string_view::npos) return false;
  constexpr std::string_view form = "99/Aaa/9999:99:99:99 ";
  const auto time = line.substr(at + 2);
  if (time.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char c = time[i];
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (form[i] == '9' ? !digit : form[i] == 'A' || form[i] == 'a' ? !letter : c != form[i]) return false;
  }
  return time.find("] \"") != std::string_view::npos;
}

// The first lines, without what ends them; at most `most`, and none that is empty or may be cut.
std::vector<std::string_view> first_lines(std::string_view head, std::size_t most) {
  std::vector<std::string_view> lines;
  while (lines.size() < most) {
    const auto end = head.find('\n');
    if (end == std::string_view::npos) break;
    auto line = head.substr(0, end);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    head.remove_prefix(end + 1);
  }
  return lines;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "beer/name: ..." over "beer/beerId: ...": what stands before the colon; empty: the line is none of these.
std::string_view key_of(std::string_view line) {
  const auto colon = line.find(": ");
  if (colon == std::string_view::npos || colon == 0) return {};
  const auto key = line.substr(0, colon);
  const bool name = std::ranges::all_of(key, [](char c) { return is_letter(c) || c == '/' || c == '_'; });
  return name ? key : std::string_view();
}

// A record is several lines, each of another key.
bool has_lines_of_keys(const std::vector<std::string_view>& lines) {
  return lines.size() >= 3 && !key_of(lines[0]).empty() && !key_of(lines[1]).empty() && !key_of(lines[2]).empty() &&
         key_of(lines[0]) != key_of(lines[1]) && key_of(lines[1]) != key_of(lines[2]) &&
         key_of(lines[0]) != key_of(lines[2]);
}

// (30,10) or Rating(30,10,1.0): brackets around the whole line and nowhere else.
bool is_tuple(std::string_view line) {
  const auto open = line.find('(');
  return open != std::string_view::npos && std::ranges::all_of(line.substr(0, open), is_letter) &&
         line.find(')') == line.size() - 1 && line.find('(', open + 1) == std::string_view::npos &&
         line.find(',') != std::string_view::npos;
}

// An object of columns, as pandas' to_json writes by itself, or of a list for each id; an object of a record holds
// neither at first.
bool is_json_of_columns(std::string_view line, bool is_only_line) {
  std::string text;
  for (const char c : line.substr(0, std::min<std::size_t>(line.size(), 400))) {
    if (c != ' ') text += c;
  }
  const auto quote = text.find('"', 2);
  if (!text.starts_with("{\"") || quote == std::string::npos) return false;
  const auto key = std::string_view(text).substr(2, quote - 2);
  const auto value = std::string_view(text).substr(quote);
  const bool number = !key.empty() && std::ranges::all_of(key, is_digit);
  const bool list = value.starts_with("\":[") || value.starts_with("\":{");
  return value.starts_with("\":{\"0\":") || (number && list) ||
         ((key == "columns" || key == "index" || key == "schema") && list && is_only_line);
}

// {"took": 3, "hits": {"hits": [{...}, {...}, ...]}}: what services answer.
bool holds_a_list_of_objects(std::string_view line) {
  std::size_t objects = 0;
  for (auto at = line.find('}'); at != std::string_view::npos; at = line.find('}', at + 1)) {
    auto next = line.find_first_not_of(" ,", at + 1);
    objects += next != std::string_view::npos && next > at + 1 && line[next] == '{' ? 1 : 0;
  }
  return objects >= 2;
}

// user=6 item=5, user:6<tab>item:5 or user=6&item=5: the names of a line's fields, each with one of "=:" and a value
// behind it; empty: the line is none of these.
std::vector<std::string_view> named_fields(std::string_view line) {
  std::vector<std::string_view> names;
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(" \t&"), line.size());
    const auto field = line.substr(0, end);
    const auto sign = field.find_first_of("=:");
    if (sign == 0 || sign == std::string_view::npos || sign + 1 == field.size()) return {};
    const auto name = field.substr(0, sign);
    if (!std::ranges::all_of(name, [](char c) { return is_letter(c) || c == '_'; })) return {};
    names.push_back(name);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return names;
}

bool have_named_fields(const std::vector<std::string_view>& lines) {
  if (lines.size() < 2) return false;
  const auto names = named_fields(lines[0]);
  // Two ids may be u:17 and i:5.
  const std::size_t fewest = !names.empty() && lines[0][names[0].size()] == '=' ? 2 : 3;
  return names.size() >= fewest && names == named_fields(lines[1]) && names[0] != names[1];
}

// 17: 3,8,21 or u17: i3 i8: what stands before the colon; empty: the line is none of these.
std::string_view owner_of(std::string_view line) {
  const auto owner = line.substr(0, std::min(line.find(": "), line.size()));
  return owner.size() == line.size() || owner.find_first_of(" \t,;|\"'{[(:") != std::string_view::npos
             ? std::string_view()
             : owner;
}

bool are_owned_lists(const std::vector<std::string_view>& lines) {
  // Without a digit it may be a title: "Alien: Covenant".
  const auto owned = [](std::string_view line) {
    return owner_of(line).find_first_of("0123456789") != std::string_view::npos;
  };
  return lines.size() >= 3 && std::ranges::all_of(lines, owned) && owner_of(lines[0]) != owner_of(lines[1]) &&
         owner_of(lines[1]) != owner_of(lines[2]);
}

// A user and how many lines follow, "7|24", above a line of another form: as Yahoo's music ratings are written.
bool has_counted_blocks(const std::vector<std::string_view>& lines) {
  const auto counts = [](std::string_view line) {
    const auto bar = line.find('|');
    return bar != std::string_view::npos && bar > 0 && bar + 1 < line.size() &&
           line.find_first_not_of("0123456789|") == std::string_view::npos &&
           line.find('|', bar + 1) == std::string_view::npos;
  };
  return lines.size() >= 2 && counts(lines[0]) && lines[1].find('|') == std::string_view::npos;
}

struct Beginning {
  std::string_view text;  // in small letters
  std::string_view name;
};

constexpr std::array graphs = std::to_array<Beginning>({{"*vertices", "a Pajek file"},
                                                        {"graph [", "a GML file"},
                                                        {"graph\n[", "a GML file"},
                                                        {"creator \"", "a GML file"},
                                                        {"digraph", "a graph for Graphviz (DOT)"},
                                                        {"graph {", "a graph for Graphviz (DOT)"},
                                                        {"strict graph", "a graph for Graphviz (DOT)"},
                                                        {"<graphml", "GraphML"},
                                                        {"<gexf", "a GEXF file"}});

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

// How many index:value pairs stand behind the first word of a line, 1 11:2 17:1; 0: others do too, or none.
std::size_t indexed_values_in(std::string_view line) {
  auto at = line.find(' ');
  if (at == std::string_view::npos || line.substr(0, at).find_first_not_of("0123456789.-+") != std::string_view::npos) {
    return 0;
  }
  std::size_t count = 0;
  while (at < line.size()) {
    const auto begin = line.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find(' ', begin), line.size());
    const auto word = line.substr(begin, at - begin);
    const auto colon = word.find(':');
    const bool pair = colon != std::string_view::npos && is_digits(word.substr(0, colon)) &&
                      word.find_first_not_of("0123456789.:eE+-", colon) == std::string_view::npos;
    if (!pair) return 0;
    ++count;
  }
  return count;
}

// The rule that sqlcmd and SQL*Plus draw below the names of columns.
bool is_rule_by_blanks(std::string_view line) {
  return line.find_first_not_of("- ") == std::string_view::npos && line.find("-- ") != std::string_view::npos;
}

bool is_text(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return (code >= 0x20 && code < 0x7F) || c == '\t' || c == '\n' || c == '\r';
  });
}

// Protocols 2 to 5 begin with their number; 4 and 5 with a frame.
bool is_pickle(std::string_view head) {
  return head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
}

[[noreturn]] void refuse(const std::string& path, std::string_view name, std::string_view remedy) {
  throw InputError(path + ": is " + std::string(name) + ", which Cohort does not read; " + std::string(remedy));
}

// Latin letters in UTF-16 have a zero byte each; without a byte order mark that is all there is to tell it by.
void refuse_zero_bytes(std::string_view head, const std::string& path) {
  const auto looked_at = head.substr(0, 4096);
  const auto zeros = std::ranges::count(looked_at, '\0');
  if (zeros == 0) return;
  std::ptrdiff_t at_odd = 0;
  for (std::size_t i = 1; i < looked_at.size(); i += 2) at_odd += looked_at[i] == '\0' ? 1 : 0;
  const auto half = std::ssize(looked_at) / 2;
  const bool wide = 10 * zeros >= 7 * half && (10 * at_odd >= 9 * zeros || 10 * (zeros - at_odd) >= 9 * zeros);
  if (wide && zeros <= half + 1) refuse(path, "text in UTF-16", as_utf8);
  if (10 * zeros > 7 * std::ssize(looked_at) && head.size() >= 8) refuse(path, "text in UTF-32", as_utf8_from_32);
  const auto controls = std::ranges::count_if(looked_at, [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
  if (10 * controls > 3 * std::ssize(looked_at)) refuse(path, "a binary file", "input must be text in UTF-8");
}

void refuse_structured_text(std::string_view head, const std::string& path, bool tables) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const auto begin = head.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return;
  head.remove_prefix(begin);
  const auto next_at = head.find_first_not_of(" \t\r\n", 1);
  const char next = next_at == std::string_view::npos ? '\n' : head[next_at];
  auto line = head.substr(0, head.find('\n'));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  const bool object = head[0] == '{' && (next == '"' || next == '\'' || next == '}' || line == "{");
  const bool array =
      head[0] == '[' && (line == "[" || next == '{' || (next == '[' && line.find(']') != std::string_view::npos) ||
                         (next == '"' && (line.ends_with(']') || line.ends_with(','))) ||
                         (line.ends_with(']') && line.find(',') != std::string_view::npos));
  if (head.starts_with("\x1E{")) {
    refuse(path, "a sequence of JSON texts", "take out what stands before them: tr -d '\\036' < OLD > NEW");
  }
  if (object && line.ends_with("},")) {
    refuse(path, "JSON of objects with commas behind them", "put them into [ and ], or leave the commas out");
  }
  const bool json_lines = object && line != "{";
  const auto lines = first_lines(head, 3);
  if (json_lines && is_json_of_columns(line, lines.size() < 2)) {
    refuse(path, "JSON of one object with a list for each column or id",
           "write an object a line, as pandas' to_json(orient=\"records\", lines=True)");
  }
  if (tables && json_lines && lines.size() < 2 && holds_a_list_of_objects(line)) {
    refuse(path, "JSON of one object with a list of records in it",
           "write an object a line, for example with jq -c '.data[]' where the list is called data");
  }
  if ((object && !(tables && json_lines)) || array) {
    refuse(path,
           !object      ? "JSON (an array)"
           : json_lines ? "JSON (JSON lines)"
                        : "JSON (an object over several lines)",
           "write it as CSV or as JSON lines, for example with pandas: read_json(...).to_csv(..., index=False)");
  }
  const auto starts = [&](std::string_view prefix) {
    return head.size() >= prefix.size() &&
           std::ranges::equal(head.substr(0, prefix.size()), prefix,
                              [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  };
  if (starts("<!doctype html") || starts("<html")) {
    refuse(path, "an HTML page", "it may be an error page that was downloaded instead of the data");
  }
  if (starts("<?xml")) refuse(path, "XML", as_text);
  for (const auto& graph : graphs) {
    if (starts(graph.text)) refuse(path, graph.name, "write its edges as lines of two nodes and a weight");
  }
  if (starts("%%matrixmarket") && !tables) {
    refuse(path, "a MatrixMarket file", "write it as lines of user, item and weight, without the lines before them");
  }
  if (is_server_log(line) || starts("#software: ") || starts("#fields: ")) {
    refuse(path, "a web server's log", "write who asked, for what and when as CSV");
  }
  const bool copied = starts("copy ") && line.find(" FROM stdin") != std::string_view::npos;
  if (copied || starts("insert into ") || starts("create table ") || starts("drop table ") || starts("/*!") ||
      starts("-- mysql dump") || starts("-- mariadb dump") || starts("--\n-- postgresql") ||
      starts("pragma foreign_keys")) {
    refuse(path, "an SQL dump", "export the table as CSV");
  }
  if (line.size() > 1 && line.ends_with(':') && std::ranges::all_of(line.substr(0, line.size() - 1), is_digit)) {
    refuse(path, "text in blocks, each below what it is of (as in the Netflix prize's files)",
           "write a line for each user and item");
  }
  if (has_counted_blocks(lines)) {
    refuse(path, "text in blocks, each below a user and a count (as in Yahoo's music ratings)",
           "write a line for each user and item");
  }
  if (have_named_fields(lines)) {
    refuse(path, "text of records with a name before each value", "write it as CSV, with the names in the first line");
  }
  if (are_owned_lists(lines)) {
    refuse(path, "text of lists behind what they belong to (user: item, item)", "write a line for each user and item");
  }
  if (has_lines_of_keys(lines)) {
    refuse(path, "text of records over several lines of \"key: value\"", "write a line for each record, as CSV");
  }
  if (lines.size() >= 2 && is_tuple(lines[0]) && is_tuple(lines[1])) {
    refuse(path, "text of tuples in brackets", "write the columns as CSV, without brackets");
  }
  if (lines.size() >= 2 && is_rule_by_blanks(lines[1])) {
    refuse(path, "a table as sqlcmd and SQL*Plus print it, with a rule below the names",
           "write it as CSV (sqlcmd -s \",\" -W -h -1, SQL*Plus' set markup csv on)");
  }
  if (lines.size() >= 2 && indexed_values_in(lines[0]) > 0 && indexed_values_in(lines[1]) > 0 &&
      indexed_values_in(lines[0]) + indexed_values_in(lines[1]) > 2) {
    refuse(path, "text of index:value pairs (as libsvm, libFM and libffm read)", "write a line for each user and item");
  }
  if (starts("@relation")) refuse(path, "an ARFF file", as_text);
}

}  // namespace

void refuse_binary(std::string_view head, const std::string& path) {
  for (const auto& signature : signatures) {
    if (head.size() >= signature.offset && head.substr(signature.offset).starts_with(signature.bytes)) {
      // Some are letters and digits alone, as a user's id may be: then other bytes must follow.
      if (is_text(signature.bytes) && signature.offset == 0 && is_text(head.substr(0, 64))) continue;
      refuse(path, signature.name, signature.remedy);
    }
  }
  if (is_pickle(head)) refuse(path, "a Python pickle", as_text);
  refuse_zero_bytes(head, path);
}

void refuse_other_formats(std::string_view head, const std::string& path, bool tables) {
  refuse_binary(head, path);
  refuse_structured_text(head, path, tables);
}

}  // namespace cohort
