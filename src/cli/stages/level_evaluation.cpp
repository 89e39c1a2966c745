#include "cli/stages/level_evaluation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/stages/evaluation.hpp"
#include "cli/stages/level_recommend.hpp"
#include "items/ranking_measures.hpp"

namespace cohort {

using Json = nlohmann::ordered_json;

Json measures_by_level(const Communicator& comm, const Population& population, const Segments& segments,
                       std::span<const double> smoothing, const PairTable& held_out, std::span<const std::int64_t> ks,
                       RecommendModel& model) {
  auto levels = Json::array();
  for (std::size_t n = 0; n < smoothing.size(); ++n) {
    const auto level = static_cast<std::int64_t>(n) + 1;
    const LevelPopulation at(comm, population, segments, level);
    take_level(comm, at.get(), smoothing[n], model);
    const auto found = ranking_measures(
        comm, held_out, ks, [&](std::int64_t k, const std::vector<std::int64_t>& users, const TopItemsSink& sink) {
          recommend_to_users(comm, at.get(), model, Strategy::segment, k, &users, sink);
        });
    Json measures{{"level", level}, {"segments", at.get().segments()}};
    measures.update(ranking_json(found));
    measures.erase("test_users");
    levels.push_back(std::move(measures));
  }
  return levels;
}

std::string levels_beside(const Json& levels) {
  auto text = fmt::format("\n{:<20}", "segment by level");
  for (const auto& level : levels) {
    text += fmt::format(" {:>18}", fmt::format("level {} ({})", level["level"].get<std::int64_t>(),
                                               level["segments"].get<std::int64_t>()));
  }
  text += "\n";
  for (const auto& [name, value] : levels.front().items()) {
    if (name.find('@') == std::string::npos) continue;
    text += fmt::format("{:<20}", name);
    for (const auto& level : levels) text += fmt::format(" {:>18.4f}", level[name].get<double>());
    text += "\n";
  }
  return text;
}

}  // namespace cohort
