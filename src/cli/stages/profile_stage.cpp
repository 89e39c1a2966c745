#include <algorithm>
#include <functional>
#include <optional>

#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "cli/stages/level_stage.hpp"
#include "cli/stages/pipeline.hpp"
#include "cli/stages/stage_memory.hpp"
#include "core/stopwatch.hpp"
#include "core/utf8.hpp"
#include "ingest/records/attribute_file.hpp"
#include "ingest/rules/holdout.hpp"
#include "profile/profile.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

// What the columns of a table were taken for.
std::string columns_of(const AttributeTable& table) {
  const auto names = [](const auto& columns, auto name_of) {
    std::string text;
    for (const auto& column : columns) text += (text.empty() ? "" : ", ") + cohort::quoted(name_of(column));
    return text.empty() ? "none" : text;
  };
  return "numbers: " + names(table.numeric, [](const auto& column) { return column.name; }) +
         "; categories: " + names(table.category, [](const auto& column) { return column.name; }) +
         "; name: " + (table.label_name.empty() ? "none" : cohort::quoted(table.label_name)) +
         "; not used: " + names(table.left_out, std::identity());
}

std::optional<AttributeTable> attributes_of(const Communicator& comm, const IdTable& ids, const std::string& path,
                                            const char* of, const std::string& encoding) {
  if (path.empty() || ids.total() == 0) return std::nullopt;
  log_input(report_table(comm, path, of, encoding));
  auto table = read_attributes(comm, ids, path, encoding);
  spdlog::info("  {}: {} of {}, {} of others", path, with_commas(table.matched), counted(ids.total(), of),
               counted(table.unknown, "row"));
  spdlog::info("  {}: {}", path, columns_of(table));
  return table;
}

std::int64_t marking(const MarkTable& table) {
  return std::count(table.marking.begin(), table.marking.end(), 1);
}

}  // namespace

AttributeTables read_attribute_tables(const Session& session, const Dataset& dataset) {
  const auto& input = session.config().input;
  return {attributes_of(session.comm(), dataset.items, input.item_attributes, "item", input.encoding),
          attributes_of(session.comm(), dataset.users, input.user_attributes, "user", input.encoding)};
}

void profile_result(const Session& session, const GraphFile& graph, const AttributeTables& attributes,
                    SegmentsFile& segments) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  const auto& dataset = graph.dataset;
  const Stopwatch stopwatch;
  need_memory(comm, "profile", profile_memory(block_sizes(comm, dataset), config));
  spdlog::info("profile: {}", counted(std::ssize(segments.segments.size), "segment"));
  ProfileInput input{&dataset, &segments.segments};
  if (attributes.items) input.item_attributes = &*attributes.items;
  if (attributes.users) input.user_attributes = &*attributes.users;
  input.spherical = by_direction(config);
  auto profiles = profile_segments(comm, input, config.profile);
  for (const auto* table : {input.item_attributes, input.user_attributes}) {
    if (!table) continue;
    profiles.attribute_file.push_back(table->file.path);
    profiles.attribute_sha256.push_back(table->file.sha256);
  }
  if (profiles.tested[0] + profiles.tested[1] > 0) {
    spdlog::info("  marking a segment, tested on held-out interactions: {} of {} and {} of {}",
                 with_commas(marking(profiles.items)), counted(profiles.tested[0], "item"),
                 with_commas(marking(profiles.categories)), counted(profiles.tested[1], "category", "categories"));
  } else if (dataset.has_items() && comm.sum(dataset.holdout.size()) == 0) {
    const auto reason = why_nothing_is_held_out(comm, dataset, session.config().input);
    spdlog::info("  nothing is held out, so nothing is said to mark a segment; {}",
                 reason.empty() ? "set input.holdout, for example to 0.1" : reason);
  }
  segments.profiles = std::move(profiles);
  profile_levels(comm, input, config.profile, segments);
  segments.history.timing["profile"] = comm.all_gather(stopwatch.seconds());
  spdlog::info("profile: {:.1f} s", stopwatch.seconds());
}

}  // namespace cohort
