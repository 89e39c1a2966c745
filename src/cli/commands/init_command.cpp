#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string_view>

#include "cli/commands/commands.hpp"
#include "cli/output/initial_config.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/log_files.hpp"
#include "comm/share.hpp"
#include "core/config_text.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "ingest/files/input_files.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/records/attribute_file.hpp"
#include "ingest/records/column_choice.hpp"
#include "ingest/records/pair_reader.hpp"

namespace cohort {

namespace {

namespace fs = std::filesystem;

constexpr double any_number_of_lines = 1e18;
constexpr double tolerated_share = 0.01;  // of malformed lines
constexpr std::int64_t most_events = 30;  // more are none

struct InitOptions {
  std::vector<std::string> logs;
  std::vector<std::string> settings;
  std::string output = "cohort.toml";
  bool force = false;
};

// The lines of [input] that differ from the defaults, but for the files and their columns.
std::string other_settings(const Config& config) {
  const auto lines = [](const Config& of) {
    std::vector<std::string> result;
    std::istringstream text(to_toml(of));
    bool inside = false;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('[')) inside = line == "[input]";
      if (inside) result.push_back(line);
    }
    return result;
  };
  auto plain = config;
  plain.input.interactions.clear();
  plain.input.columns.clear();
  const auto usual = lines(Config());
  std::string text;
  for (const auto& line : lines(plain)) {
    if (std::find(usual.begin(), usual.end(), line) == usual.end()) text += line + "\n";
  }
  return text;
}

// How input.columns names a column of the file: by its name where that is one, else by its number.
std::string column_name(const OpenedFile& file, std::int32_t column) {
  const auto& names = file.notes.names;
  if (names.empty()) return std::to_string(column);
  const auto& name = names[column];
  const bool number = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number || std::count(names.begin(), names.end(), name) > 1 ? std::to_string(column) : name;
}

ColumnChoice columns_of(const OpenedFile& file) {
  ColumnChoice columns;
  if (file.layout.format == TextFormat::lightgcn) return columns;
  const auto add = [&](const char* role, std::int32_t column) {
    if (column >= 0) columns.emplace_back(role, column_name(file, column));
  };
  add("user", file.layout.first);
  add("item", file.layout.second);
  add("weight", file.layout.weight);
  add("time", file.layout.time);
  if (file.layout.event != file.layout.second) add("event", file.layout.event);
  return columns;
}

// What else to do where a message speaks of bytes that are not UTF-8; empty: it does not.
std::string encoding_remedy(std::string_view message) {
  return message.find("is not UTF-8") == std::string_view::npos
             ? ""
             : ", or say how it is written, as --set input.encoding=latin1 (windows-1252, where Excel wrote it)";
}

// A configuration is text in UTF-8, and names the columns that are read.
void need_utf8_names(const OpenedFile& file) {
  for (const auto& [role, name] : columns_of(file)) {
    const auto bad = find_invalid_utf8(name);
    if (bad == std::string_view::npos) continue;
    const auto fault = not_utf8(name, bad);
    throw InputError(file.path + ": in the name " + quoted(std::string_view(name)) + " of a column " + fault +
                     std::string(convert_to_utf8) + encoding_remedy(fault));
  }
}

// What input.columns can say of all the files; empty where they differ. What was doubtful in telling them is added to
// `warnings`: with columns that are named nothing is. `by_order`: whether all records have to be looked at to see that
// they are told well. Collective.
ColumnChoice told_columns(const Communicator& comm, const InputConfig& input, std::vector<std::string>& warnings,
                          bool& by_order) {
  const auto told = open_files(comm, input.interactions, interactions_layout(input));
  for (const auto& file : told) {
    need_utf8_names(file);
    by_order = by_order || file.notes.grouped_by_second;
    for (const auto& warning : file.notes.warnings) warnings.push_back(file.path + ": " + warning);
  }
  // Those in which nothing stands have no say.
  const auto speaks = [](const OpenedFile& file) { return !file.notes.sample.empty(); };
  const auto first = std::find_if(told.begin(), told.end(), speaks);
  if (first == told.end()) return {};
  auto columns = columns_of(*first);
  for (const auto& file : told) {
    if (speaks(file) && columns_of(file) != columns) return {};
  }
  auto with_columns = input;
  with_columns.columns = columns;
  const auto asked = open_files(comm, input.interactions, interactions_layout(with_columns));
  for (std::size_t f = 0; f < told.size(); ++f) {
    if (!speaks(told[f])) continue;
    if (columns_of(asked[f]) != columns || asked[f].layout.data_begin != told[f].layout.data_begin) return {};
  }
  return columns;
}

// The events of the files and how many records have each; none where they are too many. Collective.
std::vector<std::pair<std::string, std::int64_t>> count_events(const Communicator& comm, const InputConfig& input,
                                                               const std::string& user, const std::string& event) {
  auto request = interactions_layout(input);
  request.columns = {{"user", user}, {"item", event}};
  IdInterner users;
  IdInterner events;
  const auto read =
      read_pairs(comm, {input.interactions, request, WeightRule{0.0, false, {}, true, false}, any_number_of_lines, ""},
                 users, events);
  const auto dictionary = build_dictionary(comm, events.take_ids());
  if (dictionary.table.total() > most_events) return {};
  std::vector<std::int64_t> counts(static_cast<std::size_t>(dictionary.table.total()));
  for (const auto id : read.pairs.second) ++counts[dictionary.number[id]];
  comm.sum_in_place(std::span(counts));
  const auto names = all_ids(comm, dictionary.table);
  std::vector<std::pair<std::string, std::int64_t>> result;
  for (std::size_t e = 0; e < names.size(); ++e) result.emplace_back(names[e], counts[e]);
  return result;
}

class Init {
 public:
  Init(const Communicator& comm, const InitOptions& options) : comm_(comm), options_(options) {}

  void write() {
    check_options();
    sort_files();
    seen_.made_by = made_by();
    config_.input.interactions = sorted_.of(FileKind::interactions);
    config_.input.social = sorted_.of(FileKind::social);
    seen_.settings = other_settings_without_files();
    bool by_order = false;
    seen_.columns = config_.input.columns.empty() ? told_columns(comm_, config_.input, seen_.warnings, by_order)
                                                  : config_.input.columns;
    // What is said of columns told by order is not said of those that are named.
    if (!by_order) config_.input.columns = seen_.columns;
    read_all();
    write_file(initial_config_text(seen_));
  }

 private:
  std::string made_by() const {
    std::string text = "cohort init";
    for (const auto& log : options_.logs) text += " " + log;
    return text;
  }

  void check_options() {
    comm_.attempt([&] {
      for (const auto& setting : options_.settings) {
        if (!setting.starts_with("input.")) {
          throw InputError("--set " + setting +
                           ": what helps to read files is in [input]; other settings go into the file that is written");
        }
        const auto key = setting.substr(0, setting.find_first_of("= "));
        for (const char* file : {"interactions", "social", "item_attributes", "user_attributes"}) {
          if (key == std::string("input.") + file) {
            throw InputError("--set " + setting + ": name the file among the others, as `cohort init LOG...`");
          }
        }
      }
      config_ = parse_config("[input]\ninteractions = " + toml_string(options_.logs[0]), "cohort init", "",
                             options_.settings);
      if (!comm_.is_root()) return;
      check_output_path(options_.output);
      if (fs::is_regular_file(options_.output) && !options_.force) {
        throw InputError(options_.output +
                         " is there already; name another file with --output, or write over it with --force");
      }
    });
  }

  void sort_files() {
    comm_.attempt([&] {
      if (comm_.is_root()) {
        sorted_ = sort_log_files(options_.logs, interactions_layout(config_.input), options_.output);
      }
    });
    share(comm_, sorted_.files);
    share(comm_, sorted_.written);
    share(comm_, sorted_.unused);
    seen_.unused = sorted_.unused;
    seen_.interactions.paths = sorted_.written_of(FileKind::interactions);
    seen_.social.paths = sorted_.written_of(FileKind::social);
  }

  std::string other_settings_without_files() const {
    auto config = config_;
    config.input.social.clear();
    return other_settings(config);
  }

  void read_all() {
    auto clean = config_.clean;
    clean.incomplete = Incomplete::drop;
    clean.max_bad_lines = any_number_of_lines;
    spdlog::info("init: reading the files");
    const auto prepared = read_input(clean);
    const auto& stats = prepared.stats;
    const auto& dataset = prepared.dataset;
    see(config_.input.interactions, interactions_layout(config_.input), stats.interactions, seen_.interactions);
    see(config_.input.social, social_layout(config_.input), stats.social, seen_.social);
    const auto pairs = comm_.sum(dataset.interactions.size());
    if (!config_.input.interactions.empty()) {
      seen_.interactions.counts = fmt::format("{}: {}, {}, {}", counted(stats.interactions.records, "record"),
                                              counted(stats.users_read, "user"), counted(stats.items_read, "item"),
                                              counted(pairs, "different pair"));
    }
    if (!config_.input.social.empty()) {
      seen_.social.counts = fmt::format("{}: {}", counted(stats.social.records, "record"),
                                        counted(comm_.sum(dataset.social.size()) / 2, "friendship"));
    }
    seen_.has_times = !config_.input.interactions.empty() && comm_.any(!dataset.interactions.time.empty());
    seen_.incomplete = stats.interactions.incomplete + stats.social.incomplete;
    seen_.bad_lines = std::max(stats.interactions.bad_lines, stats.social.bad_lines);
    refuse_bad_lines(stats);
    const auto role_of = [&](std::string_view role) {
      const auto at = std::find_if(seen_.columns.begin(), seen_.columns.end(),
                                   [&](const auto& column) { return column.first == role; });
      return at == seen_.columns.end() ? std::string() : at->second;
    };
    seen_.has_weights = !role_of("weight").empty();
    if (const auto event = role_of("event"); !event.empty()) {
      seen_.event_column = "column " + event;
      seen_.events = count_events(comm_, config_.input, role_of("user"), event);
    }
    // A hundred users in a segment, where there are not enough for twenty of them.
    const auto users = dataset.users.total();
    seen_.segments = std::min(users, std::clamp<std::int64_t>(users / 100, 2, 20));
    read_tables(dataset);
  }

  PrepareResult read_input(const CleanConfig& clean) {
    try {
      return prepare(comm_, config_.input, clean, config_.graph, 0, log_input);
    } catch (const InputError& error) {
      throw InputError(error.what() + encoding_remedy(error.what()));
    }
  }

  void see(const std::vector<std::string>& files, const LayoutRequest& request, const ReadStats& stats,
           SeenFiles& seen) {
    auto report = report_files(comm_, files, request);
    seen.seen = std::move(report.files);
    // The others are said where files are read.
    for (const auto& warning : seen_.warnings) {
      const bool again = std::find(report.warnings.begin(), report.warnings.end(), warning) != report.warnings.end();
      if (!again && &seen == &seen_.interactions) spdlog::warn("{}", warning);
    }
    for (auto& warning : report.warnings) {
      if (std::find(seen_.warnings.begin(), seen_.warnings.end(), warning) == seen_.warnings.end()) {
        seen_.warnings.push_back(std::move(warning));
      }
    }
    for (const auto& warning : stats.warnings) {
      spdlog::warn("{}", warning);
      seen_.warnings.push_back(warning);
    }
  }

  // A few lines are left out, and it is said; of more it is not known what they are.
  void refuse_bad_lines(const PrepareStats& stats) {
    for (const auto* read : {&stats.interactions, &stats.social}) {
      if (read->bad_lines == 0) continue;
      const auto& first = read->bad_line_reports.front();
      if (seen_.first_bad_line.empty()) seen_.first_bad_line = first;
      if (const auto remedy = encoding_remedy(first); !remedy.empty()) throw InputError(first + remedy);
      if (static_cast<double>(read->bad_lines) <= tolerated_share * static_cast<double>(read->lines)) continue;
      throw InputError(first + "; " + with_commas(read->bad_lines) + " of " + counted(read->lines, "line") +
                       noun(read->bad_lines, " is", " are") +
                       " malformed. Mend them, or say how the file is written, as --set input.columns='{user = 0, item "
                       "= 1}' or --set input.separator=';'");
    }
  }

  void read_tables(const Dataset& dataset) {
    read_table(FileKind::item_attributes, dataset.items, "item", seen_.item_attributes);
    read_table(FileKind::user_attributes, dataset.users, "user", seen_.user_attributes);
  }

  // The first table that fits the ids; a table is never worth to give up for.
  void read_table(FileKind kind, const IdTable& ids, const char* of, SeenFiles& seen) {
    const auto& files = sorted_.of(kind);
    for (const auto& file : files) {
      if (!seen.paths.empty()) {
        seen_.unused.push_back(file + ": one table of " + of + "s can be read");
        continue;
      }
      try {
        if (ids.total() == 0) throw InputError(file + ": there are no " + of + "s that it could speak of");
        const auto report = report_table(comm_, file, of, config_.input.encoding);
        const auto table = read_attributes(comm_, ids, file, config_.input.encoding);
        seen.seen = report.files;
        seen.counts = fmt::format("{} of {}", with_commas(table.matched), counted(ids.total(), of));
        seen.paths.push_back(path_in_config(file, options_.output));
      } catch (const InputError& error) {
        seen_.unused.emplace_back(error.what());
      }
    }
  }

  void write_file(const std::string& text) {
    comm_.attempt([&] {
      if (!comm_.is_root()) return;
      parse_config(text, options_.output, "", {});
      OutputFile file(options_.output);
      file.write(text);
      file.commit();
    });
    for (const auto& file : seen_.unused) spdlog::warn("not used: {}", file);
    spdlog::info("wrote {}; next: cohort run {}", options_.output, options_.output);
  }

  const Communicator& comm_;
  const InitOptions& options_;
  Config config_;
  LogFiles sorted_;
  InitialConfig seen_;
};

}  // namespace

void add_init_command(CLI::App& program) {
  auto* command = program.add_subcommand("init", "Looks at files and writes a configuration that reads them");
  const auto options = std::make_shared<InitOptions>();
  command
      ->add_option("logs", options->logs,
                   "Files of what users did, whom they know, what items and users are: files, directories, patterns")
      ->required()
      ->type_name("LOG...");
  command->add_option("--output", options->output, "Configuration to write")->type_name("FILE")->capture_default_str();
  command->add_flag("--force", options->force, "Write over a file of that name");
  command->add_option("--set", options->settings, "How the files are written, where it is not told; may be repeated")
      ->type_name("input.key=value")
      ->allow_extra_args(false);
  add_logging_options(*command);
  command->callback([options] {
    const auto comm = Communicator::world();
    Init(comm, *options).write();
  });
}

}  // namespace cohort
