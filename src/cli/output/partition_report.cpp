#include "cli/output/partition_report.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "cli/output/report.hpp"

namespace cohort {

namespace {

nlohmann::ordered_json json_of(const CutQuality& quality) {
  return {{"parts", quality.parts},
          {"empty_parts", quality.empty_parts},
          {"cut_edges", quality.cut_edges},
          {"cut_share", quality.cut_share},
          {"communication_volume", quality.communication_volume},
          {"ghosts_per_node", quality.ghosts_per_node},
          {"worst_ghost_ratio", quality.worst_ghost_ratio},
          {"node_balance", quality.node_balance},
          {"entry_balance", quality.entry_balance}};
}

std::string summary(const CutQuality& quality, const char* part) {
  return fmt::format(
      "{}: {:.1f} % of the edges cut, volume {} ({:.2f} ghosts a node, at worst {:.2f}), balance {:.2f} "
      "by nodes, {:.2f} by entries",
      counted(quality.parts, part), 100 * quality.cut_share, with_commas(quality.communication_volume),
      quality.ghosts_per_node, quality.worst_ghost_ratio, quality.node_balance, quality.entry_balance);
}

std::string_view objective_of(const PartitionStats& stats) {
  return stats.objective ? word_of(*stats.objective) : "";
}

}  // namespace

void log_partition(const PartitionStats& stats) {
  spdlog::info("  cut by {}{}", word_of(stats.tool),
               stats.objective ? fmt::format(" for {}", word_of(*stats.objective)) : "");
  spdlog::info("  {}", summary(stats.quality.by_shard, "shard"));
  if (stats.quality.by_rank.parts > 1) spdlog::info("  {}", summary(stats.quality.by_rank, "rank"));
}

std::string partition_table(const PartitionStats& stats) {
  const auto& shard = stats.quality.by_shard;
  const auto& rank = stats.quality.by_rank;
  auto text = fmt::format("{}, {}, cut by {} {}\n{:<28} {:>14} {:>14}\n", counted(stats.quality.nodes, "node"),
                          counted(stats.quality.edges, "edge"), word_of(stats.tool), objective_of(stats), "",
                          "by shard", "by rank");
  const auto count = [&](const char* name, std::int64_t a, std::int64_t b) {
    text += fmt::format("{:<28} {:>14} {:>14}\n", name, with_commas(a), with_commas(b));
  };
  const auto number = [&](const char* name, double a, double b) {
    text += fmt::format("{:<28} {:>14.3f} {:>14.3f}\n", name, a, b);
  };
  count("parts", shard.parts, rank.parts);
  count("empty parts", shard.empty_parts, rank.empty_parts);
  count("cut edges", shard.cut_edges, rank.cut_edges);
  number("share of the edges", shard.cut_share, rank.cut_share);
  count("communication volume, rows", shard.communication_volume, rank.communication_volume);
  number("ghosts a node", shard.ghosts_per_node, rank.ghosts_per_node);
  number("ghosts a node, worst part", shard.worst_ghost_ratio, rank.worst_ghost_ratio);
  number("balance of nodes", shard.node_balance, rank.node_balance);
  number("balance of entries", shard.entry_balance, rank.entry_balance);
  return text;
}

nlohmann::ordered_json partition_json(const PartitionStats& stats) {
  return {{"tool", word_of(stats.tool)},
          {"objective", objective_of(stats)},
          {"nodes", stats.quality.nodes},
          {"edges", stats.quality.edges},
          {"by_shard", json_of(stats.quality.by_shard)},
          {"by_rank", json_of(stats.quality.by_rank)},
          {"seconds",
           {{"cut", stats.cut_seconds}, {"numbering", stats.numbering_seconds}, {"quality", stats.quality_seconds}}}};
}

}  // namespace cohort
