#include "cli/output/plan_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/output/report.hpp"

namespace cohort {

namespace {

std::string in_seconds(double seconds) {
  if (seconds >= 1) return fmt::format("{:.2f} s", seconds);
  return seconds >= 1e-3 ? fmt::format("{:.2f} ms", 1e3 * seconds) : fmt::format("{:.1f} us", 1e6 * seconds);
}

nlohmann::ordered_json json_of(const RankPlan& plan, const TrainingPlan& of) {
  const bool steps = of.why_no_steps.empty();
  nlohmann::ordered_json json = {{"ranks", plan.ranks}};
  if (steps) {
    json["seconds_per_step"] = plan.seconds_per_step();
    json["seconds"] = {{"compute", plan.compute_seconds},
                       {"imbalance", plan.imbalance_seconds},
                       {"halo", plan.halo_seconds},
                       {"reductions", plan.sum_seconds}};
    json["efficiency"] = plan.efficiency;
  }
  json["balance"] = plan.balance;
  json["interior_share"] = plan.interior_share;
  json["ghosts_per_node"] = plan.ghosts_per_node;
  if (steps) {
    json["halo_bytes"] = plan.halo_bytes;
    json["pair_bytes"] = plan.pair_bytes;
    json["reduction_bytes"] = plan.reduction_bytes;
    json["training"] = {{"halo_bytes", plan.training_halo_bytes}, {"pair_bytes", plan.training_pair_bytes}};
  }
  json["memory_bytes"] = plan.stage("train").bytes;
  for (const auto& stage : plan.stages) {
    json["stages"][stage.name] = {{"memory_bytes", stage.bytes}, {"machine_bytes", stage.machine_bytes}};
  }
  json["largest_stage"] = plan.largest().name;
  json["machine_bytes"] = plan.largest().machine_bytes;
  json["fits"] = of.fits(plan);
  return json;
}

std::string steps_table(const TrainingPlan& plan) {
  auto text = fmt::format("{:>7} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>7} {:>10} {:>10} {:>10} {:>10}\n",
                          "ranks", "a step", "compute", "imbalance", "halo", "sums", "efficiency", "balance", "halo",
                          "pairs", "sums", "memory");
  for (const auto& each : plan.ranks) {
    text += fmt::format("{:>7} {:>11} {:>11} {:>11} {:>11} {:>11} {:>9.0f} % {:>7.3f} {:>10} {:>10} {:>10} {:>10}\n",
                        each.ranks, in_seconds(each.seconds_per_step()), in_seconds(each.compute_seconds),
                        in_seconds(each.imbalance_seconds), in_seconds(each.halo_seconds), in_seconds(each.sum_seconds),
                        100 * each.efficiency, each.balance, in_bytes(each.halo_bytes), in_bytes(each.pair_bytes),
                        in_bytes(each.reduction_bytes), in_bytes(each.stage("train").bytes));
  }
  return text;
}

}  // namespace

std::string plan_table(const TrainingPlan& plan) {
  auto text =
      fmt::format("{}, {}, {}; {} with {}, {}, {}, {} an epoch\n", counted(plan.nodes, "node"),
                  counted(plan.entries, "entry", "entries"), counted(plan.shards, "shard"), plan.encoder, plan.loss,
                  counted(plan.columns, "column"), counted(plan.epochs, "epoch"), counted(plan.steps, "step"));
  text += plan.one_machine ? "all ranks on one machine\n"
                           : fmt::format("a rank a machine; network {:.4g} Gb/s, {}\n",
                                         8e-9 * plan.network.bytes_per_second, in_seconds(plan.network.latency));
  text += plan.why_no_steps.empty() ? steps_table(plan) : fmt::format("memory alone: {}\n", plan.why_no_steps);
  text += "memory of the rank that has most, by stage\n";
  text += fmt::format("{:>7}", "ranks");
  for (const auto& stage : plan.ranks.front().stages) text += fmt::format(" {:>11}", stage.name);
  text += "\n";
  for (const auto& each : plan.ranks) {
    text += fmt::format("{:>7}", each.ranks);
    for (const auto& stage : each.stages) text += fmt::format(" {:>11}", in_bytes(stage.bytes));
    std::string beyond;
    for (const auto& stage : each.stages) {
      if (stage.machine_bytes <= plan.available_bytes) continue;
      beyond += fmt::format("{}{} {}", beyond.empty() ? "" : ", ", stage.name, in_bytes(stage.machine_bytes));
    }
    if (!beyond.empty()) beyond = fmt::format("  a machine has {}, not {}", in_bytes(plan.available_bytes), beyond);
    text += beyond + "\n";
  }
  text += plan.advised == 0 ? fmt::format("advice: {}\n", plan.reason)
                            : fmt::format("advice: {}, since {}\n", counted(plan.advised, "rank"), plan.reason);
  return text;
}

nlohmann::ordered_json plan_json(const TrainingPlan& plan) {
  nlohmann::ordered_json json = {{"encoder", plan.encoder}, {"loss", plan.loss},     {"nodes", plan.nodes},
                                 {"entries", plan.entries}, {"shards", plan.shards}, {"columns", plan.columns},
                                 {"network", nullptr}};
  if (plan.why_no_steps.empty()) {
    json["epochs"] = plan.epochs;
    json["steps_per_epoch"] = plan.steps;
    json["traffic_exact"] = plan.traffic_exact;
    json["calibration"] = {{"fixed_seconds", plan.calibration.fixed},
                           {"seconds_per_node_and_entry", plan.calibration.per_cost},
                           {"propagation_seconds_per_node_and_entry", plan.calibration.propagation},
                           {"seconds_per_copied_byte", plan.calibration.copied_byte},
                           {"measured_nodes_and_entries", plan.calibration.measured}};
  } else {
    json["no_steps"] = plan.why_no_steps;
  }
  json["base_bytes"] = plan.base_bytes;
  json["available_bytes"] = plan.available_bytes;
  if (!plan.one_machine) {
    json["network"] = {{"bytes_per_second", plan.network.bytes_per_second}, {"latency_seconds", plan.network.latency}};
  }
  json["ranks"] = nlohmann::ordered_json::array();
  for (const auto& each : plan.ranks) json["ranks"].push_back(json_of(each, plan));
  json["advice"] = {{"ranks", nullptr}, {"why", plan.reason}};
  if (plan.advised > 0) json["advice"]["ranks"] = plan.advised;
  return json;
}

}  // namespace cohort
