#include "cli/output/report.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>

#include "core/utf8.hpp"

namespace cohort {

namespace {

void log_removed(std::int64_t count, const std::string& text) {
  if (count > 0) spdlog::info("  {}", text);
}

}  // namespace

void log_read(const char* what, const ReadStats& read) {
  if (read.lines == 0) return;
  spdlog::info("  {}: {}, {}", what, counted(read.lines, "line"), counted(read.records, "record"));
  if (read.incomplete > 0) {
    spdlog::warn("{}: {} without a user, item or weight, or with a negative weight, left out (clean.incomplete)", what,
                 counted(read.incomplete, "record"));
  }
  if (read.bad_lines > 0) {
    spdlog::warn("{}: {} passed over (clean.max_bad_lines allows them), the first:", what,
                 counted(read.bad_lines, "malformed line"));
    for (const auto& report : read.bad_line_reports) spdlog::warn("  {}", report);
  }
}

void log_test_pairs(const HoldoutStats& stats) {
  if (!stats.nothing.empty()) spdlog::warn("nothing is held out to test with: {}", stats.nothing);
  if (stats.pairs > 0) spdlog::info("  {} held out", counted(stats.pairs, "interaction"));
  log_removed(stats.unknown_user_pairs, fmt::format("  left out: {} of users that are not trained on",
                                                    counted(stats.unknown_user_pairs, "pair")));
  log_removed(stats.unknown_item_pairs, fmt::format("  missed for certain: {} of items that are not trained on",
                                                    counted(stats.unknown_item_pairs, "pair")));
  log_removed(stats.trained_pairs, fmt::format("  left out: {} trained on too", counted(stats.trained_pairs, "pair")));
  log_removed(stats.repeated_pairs, fmt::format("  counting once: {}", counted(stats.repeated_pairs, "repeated pair")));
}

std::string in_bytes(std::int64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.3g} {}", value, units[unit]);
}

void log_input(const InputReport& report) {
  for (const auto& file : report.files) spdlog::info("  {}", file);
  for (const auto& warning : report.warnings) spdlog::warn("{}", warning);
}

void log_prepare(const PrepareStats& stats, const Dataset& dataset, std::int64_t interactions,
                 std::int64_t social_edges) {
  log_read("interactions", stats.interactions);
  log_read("social edges", stats.social);
  log_read("held out for evaluate", stats.holdout.read);
  for (const auto* read : {&stats.interactions, &stats.social, &stats.holdout.read}) {
    for (const auto& warning : read->warnings) spdlog::warn("{}", warning);
  }
  const auto& clean = stats.clean;
  log_removed(stats.interactions.dropped_events, fmt::format("{} of events with graph.event_weights 0 removed",
                                                             counted(stats.interactions.dropped_events, "record")));
  log_removed(
      stats.interactions.below_min_weight,
      fmt::format("graph.min_weight removed {}", counted(stats.interactions.below_min_weight, "weaker record")));
  log_removed(stats.interactions.validation, fmt::format("{} whose split is validation left out of training and test",
                                                         counted(stats.interactions.validation, "record")));
  const auto zero = stats.interactions.zero_weight + stats.social.zero_weight;
  log_removed(zero, fmt::format("{} of weight zero removed", counted(zero, "record")));
  log_removed(clean.decayed, fmt::format("{} too old for graph.half_life to leave any weight removed",
                                         counted(clean.decayed, "record")));
  log_removed(clean.duplicates, fmt::format("{} merged", counted(clean.duplicates, "repeated interaction")));
  log_removed(
      clean.bot_users,
      fmt::format("clean.max_user_interactions removed {}, {}, {}", counted(clean.bot_users, "user"),
                  counted(clean.bot_interactions, "interaction"), counted(clean.bot_social_edges, "social edge")));
  log_removed(clean.core_users + clean.core_items,
              fmt::format("k-core removed {}, {}, {} in {}", counted(clean.core_users, "user"),
                          counted(clean.core_items, "item"), counted(clean.core_interactions, "interaction"),
                          counted(clean.core_rounds, "round")));
  log_removed(clean.self_loops,
              fmt::format("{} of a user with itself removed", counted(clean.self_loops, "social edge")));
  log_removed(clean.social_duplicates,
              fmt::format("{} merged", counted(clean.social_duplicates, "repeated social edge")));
  log_removed(clean.social_only_users,
              fmt::format("clean.social_only_users removed {}, {}", counted(clean.social_only_users, "user"),
                          counted(clean.social_only_edges, "social edge")));
  const auto vanished = clean.vanished_users + clean.vanished_items;
  log_removed(vanished, fmt::format("{} and {} with nothing left removed", counted(clean.vanished_users, "user"),
                                    counted(clean.vanished_items, "item")));
  log_test_pairs(stats.holdout);
  if (stats.holdout.cut) {
    spdlog::info("  held out is what came after time {}; {} with nothing before it {} the earliest", *stats.holdout.cut,
                 counted(stats.holdout.users_after_cut, "user"), noun(stats.holdout.users_after_cut, "keeps", "keep"));
  }
  for (const auto& file : stats.features) {
    spdlog::info("  features of {}s, {}: {}, {}, {} that {} not zero", file.of, file.path, counted(file.matched, "row"),
                 counted(file.columns, "column"), counted(file.values, "number"), noun(file.values, "is", "are"));
    if (file.unknown > 0) {
      spdlog::warn("{}: {} passed over whose ids are no {}s of the graph{}", file.path, counted(file.unknown, "row"),
                   file.of,
                   file.first_unknown.empty() ? "" : fmt::format(", the first {}", quoted(file.first_unknown)));
    }
  }
  spdlog::info("  left: {}, {}, {}, {}", counted(dataset.users.total(), "user"), counted(dataset.items.total(), "item"),
               counted(interactions, "interaction"), counted(social_edges, "social edge"));
}

std::string counts_text(const PrepareStats& stats, const Dataset& dataset, std::int64_t interactions,
                        std::int64_t social_edges) {
  std::string text;
  const auto add = [&](const char* name, std::int64_t count) { text += fmt::format("{:<22}{:>14}\n", name, count); };
  const auto& clean = stats.clean;
  const auto read = stats.interactions.records + stats.social.records + stats.holdout.read.records;
  add("records", read);
  add("malformed_lines", stats.interactions.bad_lines + stats.social.bad_lines + stats.holdout.read.bad_lines);
  add("dropped_records", stats.interactions.dropped_events + stats.interactions.below_min_weight +
                             stats.interactions.zero_weight + stats.social.zero_weight + clean.decayed);
  add("merged_records", clean.duplicates + clean.social_duplicates);
  add("users_read", stats.users_read);
  add("items_read", stats.items_read);
  add("dropped_users", stats.users_read - dataset.users.total());
  add("dropped_items", stats.items_read - dataset.items.total());
  add("users", dataset.users.total());
  add("items", dataset.items.total());
  add("interactions", interactions);
  add("held_out", stats.holdout.pairs);
  add("social_edges", social_edges);
  return text;
}

}  // namespace cohort
