#include "ingest/records/dialect_choice.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <vector>

#include "ingest/records/column_names.hpp"
#include "ingest/records/field_shape.hpp"
#include "ingest/records/file_head.hpp"
#include "ingest/records/header_rules.hpp"
#include "ingest/records/quoted_record.hpp"

namespace cohort {

namespace {

constexpr std::size_t lines_looked_at = 100;
constexpr std::size_t longest_separator = 8;
constexpr std::size_t bytes_told_from = std::size_t{1} << 16;
constexpr std::string_view single_separators = "\t,;|";
// What separators of several characters are made of.
constexpr std::string_view marks = "|~^;:@#$%&*!\t";

// The first lines that are whole, not blank and no comments.
std::vector<std::string_view> whole_lines(std::string_view head, char comment) {
  std::vector<std::string_view> lines;
  while (lines.size() < lines_looked_at) {
    const auto end = head.find('\n');
    if (end == std::string_view::npos) break;
    auto line = head.substr(0, end);
    while (line.ends_with('\r')) line.remove_suffix(1);
    head.remove_prefix(end + 1);
    if (!trimmed(line).empty() && (comment == '\0' || line[0] != comment)) lines.push_back(line);
  }
  return lines;
}

Rows rows_of(const std::vector<std::string_view>& lines, TextFormat format, char separator = ',') {
  Rows rows;
  for (const auto line : lines) rows.push_back(split_line(line, format, separator));
  return rows;
}

// At least two columns, and as many in nearly all rows: one of them may be malformed.
bool same_width_mostly(const Rows& rows) {
  std::map<std::size_t, std::size_t> rows_of_width;
  for (const auto& row : rows) ++rows_of_width[row.size()];
  return rows.size() >= 2 && std::ranges::any_of(rows_of_width, [&](const auto& width) {
           return width.first >= 2 && 20 * width.second >= 19 * rows.size();
         });
}

// The records of csv in a text, and how many of them have not the columns of the first or are malformed.
struct RowAgreement {
  std::size_t columns = 0;
  std::size_t records = 0;
  std::size_t others = 0;
};

RowAgreement agreement_of(std::string_view text, char separator, char comment) {
  RowAgreement found;
  const auto* const end = text.data() + text.size();
  for (const auto* at = text.data(); at < end;) {
    const auto record = find_record_end(at, end, true, text.size(), ScanState::field_start, separator);
    auto line = std::string_view(at, static_cast<std::size_t>(record.next - at));
    at = record.next;
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (trimmed(line).empty() || line[0] == comment) continue;
    const auto columns = split_line(line, TextFormat::csv, separator).size();
    if (found.records++ == 0) found.columns = columns;
    if (record.unclosed || columns != found.columns) ++found.others;
  }
  return found;
}

bool agrees(const RowAgreement& found) {
  return found.columns >= 2 && found.records >= 2 && found.others == 0;
}

// Most records are read in the dialect, and more than as they stand.
bool fits_better(const RowAgreement& rewritten, const RowAgreement& plain) {
  return rewritten.columns >= 2 && rewritten.others < plain.others && 20 * rewritten.others <= rewritten.records;
}

// Every backslash stands in front of what databases write behind one.
bool all_escape(std::string_view head) {
  for (auto at = head.find('\\'); at != std::string_view::npos && at + 1 < head.size(); at = head.find('\\', at + 2)) {
    if (std::string_view("Ntnrbfv\\\n\t").find(head[at + 1]) == std::string_view::npos) return false;
  }
  return true;
}

// PostgreSQL's COPY, MySQL's OUTFILE and Hive.
bool is_dump(std::string_view head, const std::vector<std::string_view>& lines, char comment) {
  if (!all_escape(head)) return false;
  if (head.find("\\\n") != std::string_view::npos) {
    const auto text = rewritten(head, {.separator = "\t", .escapes = true, .letters = true, .comment = comment});
    return agrees(agreement_of(text, rare_separator, comment));
  }
  const auto rows = rows_of(lines, TextFormat::tsv);
  const bool missing = std::ranges::any_of(rows, [](const auto& row) { return std::ranges::count(row, "\\N") > 0; });
  const auto holds = [&](std::string_view escape) { return head.find(escape) != std::string_view::npos; };
  return missing && same_width(rows) && (holds("\\\\") || holds("\\t") || holds("\\n"));
}

Dialect by_backslashes(std::string_view head, const std::vector<std::string_view>& lines, std::string_view separators,
                       char comment) {
  if (head.find('\\') == std::string_view::npos) return {};
  const bool tabs = separators.find('\t') != std::string_view::npos;
  if (tabs && is_dump(head, lines, comment)) {
    return {.separator = "\t", .escapes = true, .letters = true, .comment = comment};
  }
  // Where tabs agree the others separate nothing, and quotes are letters unless a column has them in every line.
  const bool only_tabs = tabs && same_width(rows_of(lines, TextFormat::tsv));
  if (only_tabs && !has_quoted_column(rows_of(lines, TextFormat::tsv))) return {};
  Dialect fitting;
  for (const char separator : separators) {
    const auto plain = agreement_of(head, separator, comment);
    if (only_tabs && separator != '\t') continue;
    const bool quotes = head.find("\\\"") != std::string_view::npos;
    const bool may_fit = quotes || head.find(std::string{'\\', separator}) != std::string_view::npos;
    if (!may_fit && !agrees(plain)) continue;
    Dialect dialect{.separator = std::string(1, separator), .quotes = true, .escapes = true, .comment = comment};
    const auto escaped = agreement_of(rewritten(head, dialect), separator_after(dialect), comment);
    // Where both do, a quote that has a backslash stands in fields without quotes around them.
    if (agrees(plain)) return quotes && agrees(escaped) && escaped.columns == plain.columns ? dialect : Dialect();
    if (fitting.as_usual() && fits_better(escaped, plain)) fitting = std::move(dialect);
  }
  return fitting;
}

// ||, ;;, |~| or a | between tabs, which stand between all columns of all lines.
Dialect by_several(const std::vector<std::string_view>& lines, char comment) {
  std::string text;
  for (const auto line : lines) text.append(line).append("\n");
  const auto words = rows_of(lines, TextFormat::ssv);
  const bool by_words = same_width_mostly(words);
  std::set<std::string_view> tried;
  for (auto at = lines[0].find_first_of(marks); at != std::string_view::npos;) {
    const auto end = std::min(lines[0].find_first_not_of(marks, at), lines[0].size());
    const auto mark = lines[0].substr(at, end - at);
    at = lines[0].find_first_of(marks, end);
    // MovieLens' has a format of its own.
    const bool known = mark == "::";
    const bool mirrored = std::equal(mark.begin(), mark.end(), mark.rbegin());
    if (mark.size() < 2 || mark.size() > longest_separator || known || !mirrored || !tried.insert(mark).second)
      continue;
    // What stands in every line may be part of a field where something else separates columns.
    const bool other = std::ranges::any_of(single_separators, [&](char separator) {
      return mark.find(separator) == std::string_view::npos &&
             same_width_mostly(rows_of(lines, TextFormat::csv, separator));
    });
    const bool blanks =
        by_words && mark.find('\t') == std::string_view::npos && std::ranges::count(words[0], mark) == 0;
    if (other || blanks || (mark[0] != ':' && same_width(rows_of(lines, TextFormat::ml)))) continue;
    Dialect dialect{.separator = std::string(mark), .quotes = true, .comment = comment};
    // Where it stands alone in most lines, one character separates columns, some of which are empty.
    const auto alone = [&](std::string_view line) {
      for (auto found = line.find(mark); found != std::string_view::npos; found = line.find(mark)) {
        if (line.substr(0, found).find(mark[0]) != std::string_view::npos) return true;
        line.remove_prefix(found + mark.size());
      }
      return line.find(mark[0]) != std::string_view::npos;
    };
    if (!alone(lines[0]) && 2 * std::ranges::count_if(lines, alone) < std::ssize(lines) &&
        agrees(agreement_of(rewritten(text, dialect), separator_after(dialect), comment))) {
      return dialect;
    }
  }
  return {};
}

// Whether some field of the lines begins with a double quote.
bool holds_quoted_field(const std::vector<std::string_view>& lines) {
  return std::ranges::any_of(lines, [](std::string_view line) {
    return line.starts_with('"') || line.find(" \"") != std::string_view::npos ||
           line.find("\t\"") != std::string_view::npos;
  });
}

// Fields of the header and of the lines below it, where these agree on one number.
struct Widths {
  std::size_t header = 0;
  std::size_t data = 0;
};

Widths widths_of(const Rows& rows) {
  const bool agree = rows.size() >= 3 && std::all_of(rows.begin() + 1, rows.end(),
                                                     [&](const auto& row) { return row.size() == rows[1].size(); });
  return agree ? Widths{rows[0].size(), rows[1].size()} : Widths{};
}

// What R writes in front of rows: names in quotes, or numbers that count them.
bool are_row_names(const std::vector<std::string_view>& lines, const Rows& rows) {
  const bool quoted = std::all_of(lines.begin() + 1, lines.end(), [](std::string_view line) {
    return line.substr(std::min(line.find_first_not_of(' '), line.size())).starts_with('"');
  });
  if (quoted) {
    std::set<std::string> names;
    for (const auto& row : rows) names.insert(row[0]);
    return names.size() == rows.size();
  }
  const bool from_0 = rows[1][0] == "0";
  for (std::size_t n = 1; n < rows.size(); ++n) {
    if (rows[n][0] != std::to_string(from_0 ? n - 1 : n)) return false;
  }
  return true;
}

// The first line a field short of all others: completes `dialect`, which is all but that.
Dialect with_short_header(const std::vector<std::string_view>& lines, const Rows& rows, Dialect dialect) {
  const auto [header, data] = widths_of(rows);
  if (header < 2 || data != header + 1 || known_names_in(rows[0]) < 2) return {};
  const auto below = [&](auto test) { return std::all_of(rows.begin() + 1, rows.end(), test); };
  dialect.ended = below([](const auto& row) { return trimmed(row.back()).empty(); });
  dialect.row_names = !dialect.ended && rows.size() == lines.size() && are_row_names(lines, rows);
  return dialect.ended || dialect.row_names ? dialect : Dialect();
}

// By one separator, or by blanks: quotes and backslashes as the lines have them, and the first line short or not.
Dialect by_quotes(const std::vector<std::string_view>& lines, char separator, char comment, bool may_be_short) {
  std::string text;
  for (const auto line : lines) text.append(line).append("\n");
  Dialect dialect{.separator = std::string(1, separator), .comment = comment};
  dialect.quotes = separator != ' ' || holds_quoted_field(lines);
  dialect.escapes = dialect.quotes && text.find("\\\"") != std::string::npos;
  const auto made = rewritten(text, dialect);
  const auto after = separator_after(dialect);
  const bool quotes_in_blanks = separator == ' ' && dialect.quotes;
  if (quotes_in_blanks && agrees(agreement_of(made, after, comment))) return dialect;
  if (!may_be_short) return {};
  return with_short_header(lines, rows_of(whole_lines(made, comment), TextFormat::csv, after), dialect);
}

// A single line with the comments' mark and as many columns as those below is a header whose first name has the mark.
Dialect with_header_in_comment(Dialect dialect, std::string_view head) {
  const auto lines = whole_lines(head, '\0');
  if (dialect.comment == '\0' || lines.size() < 2 || lines[1][0] == dialect.comment) return dialect;
  auto with_header = dialect;
  with_header.comment = '\0';
  std::string text;
  text.append(lines[0]).append("\n").append(lines[1]).append("\n");
  const auto rows = rows_of(whole_lines(rewritten(text, with_header), '\0'), TextFormat::csv, separator_after(dialect));
  return same_width(rows) ? with_header : dialect;
}

}  // namespace

std::string several_characters(const std::string& separator) {
  if (separator == "auto" || separator == "tab" || separator == "::") return {};
  std::string text;
  for (std::size_t i = 0; i < separator.size(); ++i) {
    const bool tab = separator.compare(i, 2, "\\t") == 0;
    text += tab ? '\t' : separator[i];
    if (tab) ++i;
  }
  const auto separates = [](char c) { return c != ' ' && std::isalnum(static_cast<unsigned char>(c)) == 0; };
  const bool possible = text.size() > 1 && std::ranges::any_of(text, separates) &&
                        text.find_first_of(std::string_view("\"\n\r\0", 4)) == std::string::npos;
  return possible ? text : std::string();
}

Dialect tell_dialect(std::string_view head, const LayoutRequest& request) {
  const auto format = request.format;
  if (format != InputFormat::automatic && format != InputFormat::csv) return {};
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || head[first] == '{' || head.starts_with("%%")) return {};
  const char comment = head[first] == '#' || head[first] == '%' ? head[first] : '\0';
  if (auto several = several_characters(request.separator); !several.empty()) {
    return with_header_in_comment({.separator = std::move(several), .quotes = true, .comment = comment}, head);
  }
  const auto lines = whole_lines(head, comment);
  if (lines.size() < 2 || is_typed_header(lines[0])) return {};
  const bool automatic = request.separator == "auto";
  const std::string separators = automatic                    ? std::string(single_separators)
                                 : request.separator == "tab" ? "\t"
                                                              : request.separator;
  const bool blanks = automatic || separators == " ";
  if (single_separators.find(separators) == std::string_view::npos && !blanks) return {};
  if (automatic) {
    if (auto dialect = by_several(lines, comment); !dialect.as_usual()) return with_header_in_comment(dialect, head);
  }
  // Enough behind the first sign of an escape to tell from: of many files the whole heads would take minutes. A cut
  // line is none.
  auto sign = head.find("\\\"");
  if (sign == std::string_view::npos) sign = std::min(head.find('\\'), head.size());
  const auto whole = head.substr(0, head.substr(0, sign + bytes_told_from).rfind('\n') + 1);
  if (separators != " ") {
    if (auto dialect = by_backslashes(whole, lines, separators, comment); !dialect.as_usual()) return dialect;
  }
  const bool may_be_short = comment == '\0' && request.header.value_or(true);
  for (const char separator : separators) {
    if (separator == ' ') continue;
    const bool tab = separator == '\t';
    if (same_width(rows_of(lines, TextFormat::csv, separator)) ||
        (tab && same_width(rows_of(lines, TextFormat::tsv)))) {
      return {};
    }
    if (!may_be_short) continue;
    if (auto dialect = by_quotes(lines, separator, comment, true); !dialect.as_usual()) return dialect;
  }
  if (!blanks || lines[0].find("::") != std::string_view::npos) return {};
  return by_quotes(lines, ' ', comment, may_be_short);
}

}  // namespace cohort
