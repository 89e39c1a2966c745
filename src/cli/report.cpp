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

void log_test_pairs(const HoldoutStats& stats) {
  if (!stats.nothing.empty()) spdlog::warn("nothing is held out to test with: {}", stats.nothing);
  if (stats.pairs > 0) spdlog::info("  {} interactions held out", with_commas(stats.pairs));
  log_removed(stats.unknown_user_pairs, fmt::format("  {} pairs of users that are not trained on are left out",
                                                    with_commas(stats.unknown_user_pairs)));
  log_removed(stats.unknown_item_pairs, fmt::format("  {} pairs of items that are not trained on count as missed",
                                                    with_commas(stats.unknown_item_pairs)));
  log_removed(stats.trained_pairs,
              fmt::format("  {} pairs that are also trained on are left out", with_commas(stats.trained_pairs)));
  log_removed(stats.repeated_pairs, fmt::format("  {} repeated pairs count once", with_commas(stats.repeated_pairs)));
}

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

void log_prepare(const PrepareStats& stats, const Dataset& dataset, std::int64_t interactions,
                 std::int64_t social_edges) {
  log_read("interactions", stats.interactions);
  log_read("social edges", stats.social);
  log_read("held out for evaluate", stats.holdout.read);
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
  log_test_pairs(stats.holdout);
  if (stats.holdout.cut) {
    spdlog::info("  held out is what came after time {}; {} users with nothing before it keep their earliest",
                 *stats.holdout.cut, with_commas(stats.holdout.users_after_cut));
  }
  spdlog::info("  left: {} users, {} items, {} interactions, {} social edges", with_commas(dataset.users.total()),
               with_commas(dataset.items.total()), with_commas(interactions), with_commas(social_edges));
}

}  // namespace cohort
