#include "ingest/records/input_report.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/utf8.hpp"
#include "ingest/files/input_files.hpp"
#include "ingest/records/column_choice.hpp"
#include "ingest/records/pair_reader.hpp"

namespace cohort {

namespace {

constexpr std::size_t files_shown = 8;
constexpr std::size_t sample_bytes = 40;

// Of text that is written in a dialect.
std::string dialect_text(const Dialect& dialect, const FileLayout& layout) {
  const auto& separator = dialect.separator;
  std::string text = "csv, columns by ";
  if (separator == " ") {
    text += "spaces";
  } else {
    text += separator == "\t" ? "tab" : separator == "," ? "comma" : quoted(separator);
  }
  if (dialect.quotes && (separator == " " || separator == "\t")) text += ", with quotes";
  if (dialect.escapes) text += ", escaped by backslashes";
  if (dialect.row_names) text += ", names of rows";
  if (dialect.ended) text += ", one at the end of lines";
  return text + (layout.decimal_comma ? ", decimal commas" : "");
}

std::string format_text(const OpenedFile& file) {
  if (file.storage.parquet) return "parquet";
  if (!file.storage.dialect.as_usual()) return dialect_text(file.storage.dialect, file.layout);
  switch (file.layout.format) {
    case TextFormat::csv:
      if (file.layout.separator == ',') return "csv, columns by comma";
      if (file.layout.separator == '\t') return "csv, columns by tab, with quotes";
      return (file.layout.ruled ? "a printed table, columns by " : "csv, columns by ") +
             quoted(std::string(1, file.layout.separator)) + (file.layout.decimal_comma ? ", decimal commas" : "");
    case TextFormat::json:
      return file.storage.array ? "json, an array of objects" : "json, an object a line";
    case TextFormat::ssv:
      return "ssv, columns by spaces";
    case TextFormat::ml:
      return "ml, columns by \"::\"";
    case TextFormat::inter:
      return "inter, columns by tab";
    case TextFormat::lightgcn:
      return "lightgcn, adjacency lists by spaces";
    case TextFormat::tsv:
      break;
  }
  return "tsv, columns by tab";
}

// How times are understood that are not seconds.
std::string_view time_text(const FileLayout& layout) {
  if (layout.time < 0) return "";
  if (layout.compact_dates) return " (dates)";
  if (layout.spreadsheet_days) return " (days as spreadsheets count them)";
  if (layout.small_times) return " (numbers that are no dates: their order counts)";
  if (layout.date_order == DateOrder::day_first) return " (dates, days first)";
  if (layout.date_order == DateOrder::month_first) return " (dates, months first)";
  return layout.time_divisor == 1e3   ? " (milliseconds)"
         : layout.time_divisor == 1e6 ? " (microseconds)"
         : layout.time_divisor == 1e9 ? " (nanoseconds)"
                                      : "";
}

std::string sample_of(const OpenedFile& file, std::int32_t column) {
  const auto at = static_cast<std::size_t>(column);
  return at < file.notes.sample.size() ? ", e.g. " + quoted(file.notes.sample[at], sample_bytes) : "";
}

// Without the samples two files of the same layout have the same text.
std::string columns_text(const OpenedFile& file, bool with_samples) {
  const auto& layout = file.layout;
  const bool social = layout.role == FileRole::social;
  if (layout.format == TextFormat::lightgcn) {
    return with_samples ? "user: the first of a line" + sample_of(file, 0) + "; items: the others" + sample_of(file, 1)
                        : "";
  }
  std::string text;
  std::set<std::int32_t> used;
  const auto add = [&](const char* role, std::int32_t column) {
    if (!text.empty()) text += "; ";
    text += std::string(role) + ": ";
    if (column < 0) {
      text += "none";
      return;
    }
    text += column_text(column, file.notes.names);
    if (with_samples) text += sample_of(file, column);
    used.insert(column);
  };
  add(social ? "source" : "user", layout.first);
  add(social ? "target" : layout.role == FileRole::labels ? "label" : "item", layout.second);
  if (layout.role != FileRole::labels) add("weight", layout.weight);
  if (layout.role == FileRole::interactions) {
    add("time", layout.time);
    text += time_text(layout);
    add("event", layout.event);
    if (layout.split >= 0) add("split", layout.split);
  }
  std::string unused;
  for (std::int32_t c = 0; c < layout.columns; ++c) {
    if (!used.contains(c)) unused += (unused.empty() ? "" : ", ") + column_text(c, file.notes.names);
  }
  return text + "; not used: " + (unused.empty() ? "none" : unused);
}

std::string header_text(const LayoutNotes& notes) {
  if (!notes.header_of.empty()) return "no header, columns as named in " + notes.header_of;
  return notes.header.empty() ? "no header" : "a header";
}

std::string written_as(const OpenedFile& file) {
  const bool named = file.layout.format == TextFormat::json || file.storage.parquet;
  return in_words(file.storage) + format_text(file) + "; " + (named ? "" : header_text(file.notes) + "; ") +
         (file.layout.comment != '\0' ? std::string("comments begin with ") + file.layout.comment + "; " : "");
}

std::string layout_text(const OpenedFile& file, bool with_samples) {
  return written_as(file) + columns_text(file, with_samples);
}

void add_warnings(InputReport& report, const OpenedFile& file) {
  for (const auto& warning : file.notes.warnings) report.warnings.push_back(file.path + ": " + warning);
}

void add(InputReport& report, InputReport&& more) {
  std::ranges::move(more.files, std::back_inserter(report.files));
  std::ranges::move(more.warnings, std::back_inserter(report.warnings));
}

}  // namespace

InputReport report_files(const Communicator& comm, const std::vector<std::string>& paths,
                         const LayoutRequest& request) {
  InputReport report;
  std::set<std::string> layouts;
  std::size_t alike = 0;
  const auto opened = open_files(comm, paths, request);
  for (const auto& file : opened) {
    const bool is_new = layouts.insert(layout_text(file, false)).second;
    if (is_new || report.files.size() < files_shown) {
      report.files.push_back(file.path + ": " + layout_text(file, true));
    } else {
      ++alike;
    }
    add_warnings(report, file);
  }
  if (alike > 0) {
    report.files.push_back(std::to_string(alike) + " more " + (alike == 1 ? "file is" : "files are") +
                           " written like one of these");
  }
  return report;
}

InputReport report_table(const Communicator& comm, const std::string& path, const std::string& ids,
                         const std::string& encoding) {
  const auto table = open_table(comm, path, encoding);
  const auto& file = table.file;
  std::string text =
      file.path + ": " + written_as(file) + ids + ": " + column_text(0, table.names) + sample_of(file, 0);
  std::string others;
  for (std::int32_t c = 1; c < file.layout.columns; ++c) {
    others += (others.empty() ? "; attributes: " : ", ") + column_text(c, table.names) + sample_of(file, c);
  }
  InputReport report{{text + others}, {}};
  add_warnings(report, file);
  return report;
}

InputReport report_input(const Communicator& comm, const InputConfig& input, DescribedFiles& files) {
  auto report = report_files(comm, input.interactions, split_layout(input));
  add(report, report_files(comm, input.social, social_layout(input)));
  add(report, report_files(comm, input.test, interactions_layout(input)));
  std::set<std::int64_t> sizes;
  for (const auto& file : files.files()) sizes.insert(file.bytes);
  if (sizes.size() == files.files().size()) return report;
  const auto& described = files.whole();
  std::map<std::string, std::size_t> first_of;
  for (std::size_t f = 0; f < described.size(); ++f) {
    const auto [earlier, is_new] = first_of.emplace(described[f].sha256, f);
    if (is_new) continue;
    const auto& other = described[earlier->second].path;
    const bool test = f >= described.size() - input.test.size() && earlier->second < input.interactions.size();
    report.warnings.push_back(described[f].path +
                              (other == described[f].path ? ": is given twice" : ": holds the same bytes as " + other) +
                              (test ? ", so what input.test holds out is trained on; take it out of one of the two"
                                    : "; all it holds counts twice. Leave one out"));
  }
  return report;
}

}  // namespace cohort
