#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"
#include "store/h5.hpp"
#include "store/provenance.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const auto size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

Json describe(const h5::Reader& file) {
  const auto kind = file_kind(file);
  const auto provenance = read_provenance(file, kind);
  Json info;
  info["file"] = file.path();
  info["kind"] = kind;
  info["schema_version"] = schema::version;
  info["cohort_version"] = provenance.cohort_version;
  info["git_revision"] = provenance.git_revision;
  info["seed"] = provenance.seed;
  info["ranks"] = provenance.ranks;
  info["threads"] = provenance.threads;
  info["vector_target"] = provenance.vector_target;
  for (const char* name : {schema::shards, schema::epochs}) {
    if (file.has_attribute(name)) info[name] = file.integer_attribute(name);
  }
  info["inputs"] = Json::array();
  for (const auto& input : provenance.inputs) {
    info["inputs"].push_back({{"path", input.path}, {"bytes", input.bytes}, {"sha256", input.sha256}});
  }
  for (const auto& input : provenance.follows) {
    info["follows"].push_back({{"path", input.path}, {"bytes", input.bytes}, {"sha256", input.sha256}});
  }
  for (const auto& dataset : file.datasets()) {
    info["datasets"][dataset.name] = {{"type", dataset.type}, {"shape", dataset.shape}};
  }
  if (file.has(schema::loss_history)) {
    if (const auto loss = file.all<double>(schema::loss_history); !loss.empty()) {
      info["loss"] = {{"epochs", loss.size()}, {"first", loss.front()}, {"last", loss.back()}};
    }
  }
  if (file.has(schema::size)) info["segment_sizes"] = file.all<std::int64_t>(schema::size);
  if (file.has(schema::segment_number)) {
    info["segment_numbers"] = file.all<std::int64_t>(schema::segment_number);
    info["appeared"] = file.all<std::int64_t>(schema::appeared);
    info["vanished"] = file.all<std::int64_t>(schema::vanished);
    for (const char* name : {schema::common_users, schema::stayed_users}) {
      info[name] = file.integer_attribute(name);
    }
  }
  if (file.has(schema::level_stayed_users)) {
    const auto stayed = file.all<std::int64_t>(schema::level_stayed_users);
    for (std::size_t n = 0; n < stayed.size(); ++n) {
      const auto group = fmt::format("{}/{}/", schema::levels, n + 1);
      info["levels"].push_back({{"level", n + 1},
                                {"segment_numbers", file.all<std::int64_t>(group + schema::level_number)},
                                {"appeared", file.all<std::int64_t>(group + schema::level_appeared)},
                                {"vanished", file.all<std::int64_t>(group + schema::level_vanished)},
                                {"stayed_users", stayed[n]}});
    }
  }
  const auto history = read_history(file);
  if (!history.choice.empty()) info["choice"] = history.choice;
  if (!history.timing.empty()) info["timing"] = history.timing;
  if (!history.traffic.empty()) info["traffic"] = history.traffic;
  info["configuration"] = provenance.configuration;
  return info;
}

template <class T>
std::string range_of(const Json& values) {
  const auto list = values.get<std::vector<T>>();
  if (list.empty()) return "";
  const auto [low, high] = std::minmax_element(list.begin(), list.end());
  return *low == *high ? fmt::format("{:.6g}", static_cast<double>(*low))
                       : fmt::format("{:.6g} to {:.6g}", static_cast<double>(*low), static_cast<double>(*high));
}

std::string numbers_of(const Json& numbers) {
  std::string text;
  for (const auto& number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number.get<std::int64_t>());
  return text.empty() ? "none" : text;
}

std::string for_a_person(const Json& info) {
  auto text = fmt::format("{}: {} file of Cohort, schema version {}\n", info["file"].get<std::string>(),
                          info["kind"].get<std::string>(), info["schema_version"].get<int>());
  const auto line = [&](std::string_view name, const std::string& value) {
    text += fmt::format("  {:<14} {}\n", name, value);
  };
  line("made by", fmt::format("cohort {} ({})", info["cohort_version"].get<std::string>(),
                              info["git_revision"].get<std::string>()));
  line("on", fmt::format("{} x {}, {}, seed {}", counted(info["ranks"].get<int>(), "rank"),
                         counted(info["threads"].get<int>(), "thread"), info["vector_target"].get<std::string>(),
                         info["seed"].get<std::int64_t>()));
  const auto file_line = [&](std::string_view name, const Json& file) {
    line(name, fmt::format("{} ({}, SHA-256 {}...)", file["path"].get<std::string>(),
                           counted(file["bytes"].get<std::int64_t>(), "byte"),
                           file["sha256"].get<std::string>().substr(0, 16)));
  };
  for (const auto& input : info["inputs"]) file_line("input", input);
  if (info.contains("follows")) {
    for (const auto& file : info["follows"]) file_line("follows", file);
  }
  for (const char* name : {schema::shards, schema::epochs}) {
    if (info.contains(name)) line(name, std::to_string(info[name].get<std::int64_t>()));
  }
  if (info.contains("loss")) {
    line("loss", fmt::format("{:.6g} in the first epoch, {:.6g} in the last", info["loss"]["first"].get<double>(),
                             info["loss"]["last"].get<double>()));
  }
  if (info.contains("segment_sizes")) {
    const auto sizes = info["segment_sizes"].get<std::vector<std::int64_t>>();
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(sizes.size(), 12); ++i) list += fmt::format(" {}", sizes[i]);
    line("segments", fmt::format("{} of{}{} {}", sizes.size(), list, sizes.size() > 12 ? " ..." : "",
                                 noun(sizes.empty() ? 0 : sizes.back(), "user")));
  }
  if (info.contains("segment_numbers")) {
    line("numbers", numbers_of(info["segment_numbers"]));
    line("new", numbers_of(info["appeared"]));
    line("gone", numbers_of(info["vanished"]));
    line("users",
         fmt::format("{} also in the result before, {} of them in the segment of the same number",
                     info[schema::common_users].get<std::int64_t>(), info[schema::stayed_users].get<std::int64_t>()));
  }
  if (info.contains("levels")) {
    for (const auto& level : info["levels"]) {
      line(fmt::format("level {}", level["level"].get<std::size_t>()),
           fmt::format("numbers {}; new {}; gone {}; {} in the segment of the same number",
                       numbers_of(level["segment_numbers"]), numbers_of(level["appeared"]),
                       numbers_of(level["vanished"]), counted(level["stayed_users"].get<std::int64_t>(), "user")));
    }
  }
  if (info.contains("datasets")) {
    text += "\n  datasets\n";
    for (const auto& [name, dataset] : info["datasets"].items()) {
      text += fmt::format("    {:<36} {:<8} {}\n", "/" + name, dataset["type"].get<std::string>(),
                          text_of(dataset["shape"].get<std::vector<std::int64_t>>()));
    }
  }
  if (info.contains("choice")) {
    text += "\n  settings of training, by candidate\n";
    for (const auto& [column, values] : info["choice"].items()) {
      std::string list;
      for (const auto& value : values) list += value.is_null() ? "-  " : fmt::format("{:<8.4g}  ", value.get<double>());
      text += fmt::format("    {:<36} {}\n", column, list);
    }
  }
  if (info.contains("timing")) {
    text += "\n  seconds by rank\n";
    for (const auto& [phase, seconds] : info["timing"].items()) {
      text += fmt::format("    {:<36} {}\n", phase, range_of<double>(seconds));
    }
  }
  if (info.contains("traffic")) {
    text += "\n  traffic by rank\n";
    for (const auto& [what, counts] : info["traffic"].items()) {
      text += fmt::format("    {:<36} {}\n", what, range_of<std::int64_t>(counts));
    }
  }
  text += "\n  configuration\n";
  std::istringstream lines(info["configuration"].get<std::string>());
  for (std::string entry; std::getline(lines, entry);) text += entry.empty() ? "\n" : "    " + entry + "\n";
  return text;
}

}  // namespace

void add_info_command(CLI::App& program) {
  auto* command = program.add_subcommand("info", "What is in a file of Cohort");
  const auto path = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("file", *path, "graph.h5, model.h5 or segments.h5")->required()->type_name("FILE");
  command->add_flag("--json", *json, "One JSON object");
  add_logging_options(*command);
  command->callback([path, json] {
    const auto comm = Communicator::world();
    const auto info = describe(h5::Reader(comm, *path));
    say(comm, *json ? info.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : printable(for_a_person(info)));
  });
}

}  // namespace cohort
