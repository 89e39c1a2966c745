#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/segments_report.hpp"
#include "cli/output/text_output.hpp"
#include "core/csv_field.hpp"
#include "core/error.hpp"
#include "store/segments_file.hpp"

namespace cohort {

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

struct ExportOptions {
  std::string file;
  std::string output;
  std::string format = "csv";
  std::string what = "users";
};

// One row of output: fields in order, as CSV (RFC 4180) or as a JSON object a line. Numbers have as few digits as read
// back to the same bits; JSON has no numbers that are not finite, so those are null there.
class Row {
 public:
  Row(bool json, std::string& out) : json_(json), out_(out) {}

  void text(std::string_view name, std::string_view value) {
    start(name);
    if (json_) {
      out_ += nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    } else {
      out_ += csv_field(value);
    }
  }
  template <class Number>
  void number(std::string_view name, Number value) {
    start(name);
    put(value);
  }
  /// An array in JSON, a column for each in CSV.
  void numbers(std::string_view name, std::span<const float> values) {
    if (json_) {
      start(name);
      out_ += '[';
      for (std::size_t c = 0; c < values.size(); ++c) {
        if (c > 0) out_ += ',';
        put(values[c]);
      }
      out_ += ']';
      return;
    }
    for (const auto value : values) number("", value);
  }
  void end() { out_ += json_ ? "}\n" : "\n"; }

 private:
  void start(std::string_view name) {
    if (json_) {
      out_ += first_ ? "{\"" : ",\"";
      out_.append(name).append("\":");
    } else if (!first_) {
      out_ += ',';
    }
    first_ = false;
  }
  template <class Number>
  void put(Number value) {
    if constexpr (std::floating_point<Number>) {
      if (json_ && !std::isfinite(value)) {
        out_ += "null";
        return;
      }
    }
    char digits[40];
    out_.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
  }

  bool json_;
  std::string& out_;
  bool first_ = true;
};

// Of nested segments, the names of the columns that hold a segment at each level.
std::vector<std::string> level_names(std::size_t levels) {
  std::vector<std::string> names;
  if (levels == 0) return names;
  for (std::size_t level = 1; level <= levels + 1; ++level) names.push_back(fmt::format("level_{}", level));
  return names;
}

std::string with_names(std::string header, const std::vector<std::string>& names) {
  for (const auto& name : names) header.append(",").append(name);
  return header;
}

std::string with_columns(std::string header, std::int64_t columns) {
  for (std::int64_t c = 0; c < columns; ++c) header += ",e" + std::to_string(c);
  return header + "\n";
}

class Export {
 public:
  Export(const Communicator& comm, const ExportOptions& options)
      : comm_(comm),
        options_(options),
        json_(options.format == "jsonl"),
        result_(read_segments_file(comm, options.file, part_of(options.what))),
        level_names_(level_names(result_.segments.levels.size())) {
    if (options.what == "items" && result_.items.total() == 0) {
      throw InputError(options.file + " has no items: its graph was made of social edges alone");
    }
  }

  void write() {
    TextOutput output(comm_, options_.output);
    if (options_.what == "segments") {
      write_segments(output);
    } else if (options_.what == "levels") {
      write_levels(output);
    } else if (options_.what == "items") {
      write_items(output);
    } else {
      write_users(output, options_.what == "embedding");
    }
    output.commit();
  }

 private:
  static SegmentsPart part_of(const std::string& what) {
    return what == "embedding" || what == "items" ? SegmentsPart::embeddings : SegmentsPart::membership;
  }
  // Rows 0 .. count - 1 of every rank, about a megabyte at a time.
  template <class Fill>
  void write_rows(TextOutput& output, const std::string& header, std::int64_t count, Fill fill) {
    if (!json_) output.write_once(header);
    std::int64_t next = 0;
    output.write([&](std::string& piece) {
      while (next < count && piece.size() < piece_bytes) {
        Row row(json_, piece);
        fill(row, next++);
        row.end();
      }
      return next < count;
    });
  }

  void write_users(TextOutput& output, bool with_embedding) {
    const auto& segments = result_.segments;
    write_rows(output,
               with_columns(with_names("id,segment,distance,margin", level_names_),
                            with_embedding ? segments.users.columns() : 0),
               result_.users.block_size(), [&](Row& row, std::int64_t user) {
                 const auto i = static_cast<std::size_t>(user);
                 row.text("id", result_.users[user]);
                 row.number("segment", number_of(segments.number, segments.segment[i]));
                 row.number("distance", segments.distance[i]);
                 row.number("margin", segments.margin[i]);
                 add_levels(row, segments.segment[i]);
                 if (with_embedding) row.numbers("embedding", segments.users.view().at(user));
               });
  }

  void write_items(TextOutput& output) {
    const auto& items = result_.items;
    const auto embedding = result_.segments.items.view();
    write_rows(output, with_columns("id", embedding.columns), items.block_size(), [&](Row& row, std::int64_t item) {
      row.text("id", items[item]);
      row.numbers("embedding", embedding.at(item));
    });
  }

  // Of a user or a segment, by the finest segment: those above, and itself.
  void add_levels(Row& row, std::int32_t finest) const {
    const auto& levels = result_.segments.levels;
    if (levels.empty()) return;
    for (std::size_t level = 0; level < levels.size(); ++level) {
      row.number(level_names_[level], levels[level].of_finest[finest]);
    }
    row.number(level_names_.back(), finest);
  }

  // Every segment of every level: the coarsest first.
  void write_levels(TextOutput& output) {
    const auto& segments = result_.segments;
    struct Line {
      std::size_t level;
      std::int64_t segment, parent, users;
    };
    std::vector<Line> lines;
    if (comm_.is_root()) {
      for (std::size_t level = 0; level <= segments.levels.size(); ++level) {
        const auto parents = level > 0 ? parents_at(segments.levels, level) : std::vector<std::int32_t>();
        const auto& size = level < segments.levels.size() ? segments.levels[level].size : segments.size;
        for (std::size_t s = 0; s < size.size(); ++s) {
          lines.push_back({level + 1, static_cast<std::int64_t>(s), parents.empty() ? -1 : parents[s], size[s]});
        }
      }
    }
    write_rows(output, "level,segment,parent,users,share\n", std::ssize(lines), [&](Row& row, std::int64_t i) {
      const auto& line = lines[i];
      row.number("level", line.level);
      row.number("segment", line.segment);
      row.number("parent", line.parent);
      row.number("users", line.users);
      row.number("share", static_cast<double>(line.users) / static_cast<double>(result_.users.total()));
    });
  }

  void write_segments(TextOutput& output) {
    const auto& size = result_.segments.size;
    const auto distance = mean_distances(comm_, result_.segments.segment, result_.segments.distance, size);
    const auto header = with_names("segment,users,share,mean_distance", level_names_) + "\n";
    write_rows(output, header, comm_.is_root() ? std::ssize(size) : 0, [&](Row& row, std::int64_t segment) {
      const auto s = static_cast<std::size_t>(segment);
      row.number("segment", number_of(result_.segments.number, segment));
      row.number("users", size[s]);
      row.number("share", static_cast<double>(size[s]) / static_cast<double>(result_.users.total()));
      row.number("mean_distance", distance[s]);
      add_levels(row, static_cast<std::int32_t>(segment));
    });
  }

  const Communicator& comm_;
  const ExportOptions& options_;
  bool json_;
  SegmentsFile result_;
  std::vector<std::string> level_names_;  ///< of every level; none where there is one
};

}  // namespace

void add_export_command(CLI::App& program) {
  auto* command = program.add_subcommand("export", "A result as CSV or JSON lines");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("result", options->file, "segments.h5")->required()->type_name("RESULT.h5");
  command->add_option("--format", options->format, "How it is written")
      ->check(CLI::IsMember({"csv", "jsonl"}))
      ->capture_default_str();
  command
      ->add_option("--what", options->what,
                   "users: id, segment, distance, margin; embedding: these and the embedding; segments; levels: every "
                   "segment of every level; items: id and embedding")
      ->check(CLI::IsMember({"users", "embedding", "segments", "levels", "items"}))
      ->capture_default_str();
  command->add_option("--output", options->output, "File to write; standard output unless given")->type_name("FILE");
  add_logging_options(*command);
  command->callback([options] {
    const auto comm = Communicator::world();
    Export(comm, *options).write();
    if (!options->output.empty()) spdlog::info("wrote {}", options->output);
  });
}

}  // namespace cohort
