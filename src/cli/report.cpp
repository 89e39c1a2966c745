#include "cli/report.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>

namespace cohort {

namespace {

void log_read(const char* what, const ReadStats& read) {
  if (read.lines == 0) return;
  spdlog::info("  {}: {} lines, {} records", what, with_commas(read.lines), with_commas(read.records));
  if (read.bad_lines > 0) {
    spdlog::warn("{}: {} malformed lines passed over (clean.max_bad_lines allows them), the first:", what,
                 with_commas(read.bad_lines));
    for (const auto& report : read.bad_line_reports) spdlog::warn("  {}", report);
  }
}

void log_removed(std::int64_t count, const std::string& text) {
  if (count > 0) spdlog::info("  {}", text);
}

}  // namespace

std::string with_commas(std::int64_t number) {
  const auto digits = std::to_string(number);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') result += ',';
    result += digits[i];
  }
  return result;
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
  log_removed(stats.interactions.dropped_events, fmt::format("{} records of events with graph.event_weights 0 removed",
                                                             with_commas(stats.interactions.dropped_events)));
  log_removed(stats.interactions.below_min_weight, fmt::format("graph.min_weight removed {} weaker records",
                                                               with_commas(stats.interactions.below_min_weight)));
  const auto zero = stats.interactions.zero_weight + stats.social.zero_weight;
  log_removed(zero, fmt::format("{} records of weight zero removed", with_commas(zero)));
  log_removed(clean.decayed, fmt::format("{} records too old for graph.half_life to leave them any weight removed",
                                         with_commas(clean.decayed)));
  log_removed(clean.duplicates, fmt::format("{} repeated interactions merged", with_commas(clean.duplicates)));
  log_removed(clean.bot_users,
              fmt::format("clean.max_user_interactions removed {} users, {} interactions, {} social edges",
                          with_commas(clean.bot_users), with_commas(clean.bot_interactions),
                          with_commas(clean.bot_social_edges)));
  log_removed(
      clean.core_users + clean.core_items,
      fmt::format("k-core removed {} users, {} items, {} interactions in {} rounds", with_commas(clean.core_users),
                  with_commas(clean.core_items), with_commas(clean.core_interactions), clean.core_rounds));
  log_removed(clean.self_loops,
              fmt::format("{} social edges of a user with itself removed", with_commas(clean.self_loops)));
  log_removed(clean.social_duplicates,
              fmt::format("{} repeated social edges merged", with_commas(clean.social_duplicates)));
  log_removed(clean.social_only_users,
              fmt::format("clean.social_only_users removed {} users, {} social edges",
                          with_commas(clean.social_only_users), with_commas(clean.social_only_edges)));
  const auto vanished = clean.vanished_users + clean.vanished_items;
  log_removed(vanished, fmt::format("{} users and {} items with nothing left removed",
                                    with_commas(clean.vanished_users), with_commas(clean.vanished_items)));
  if (stats.holdout.pairs > 0) {
    spdlog::info("  {} interactions held out; {} of unknown users dropped, {} of unknown items count as missed",
                 with_commas(stats.holdout.pairs), with_commas(stats.holdout.unknown_user_pairs),
                 with_commas(stats.holdout.unknown_item_pairs));
  }
  if (stats.holdout.cut) {
    spdlog::info("  held out is what came after time {}; {} users with nothing before it keep their earliest",
                 *stats.holdout.cut, with_commas(stats.holdout.users_after_cut));
  }
  spdlog::info("  left: {} users, {} items, {} interactions, {} social edges", with_commas(dataset.users.total()),
               with_commas(dataset.items.total()), with_commas(interactions), with_commas(social_edges));
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
