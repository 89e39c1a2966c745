#include "cli/output/network_explanation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/output/node_names.hpp"
#include "cli/output/report.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

// Of either sign: the first of this many, and the last of half as many.
constexpr std::size_t shown = 10;

constexpr const char* meaning =
    "the network is run again on the whole graph without the edge, degrees and all: exact for every neighbour, but "
    "what two of them do together is not the sum";

constexpr const char* meaning_of_segment =
    "the network is run again on the whole graph without these edges, degrees and all: exact for every node, but what "
    "two of them do together is not the sum";

std::string user_name(const NodeNames& names, const NetworkExplanation& explanation) {
  return names.of(std::vector<LeftOut>{{explanation.user, 0, 0}}).front();
}

// The first sentence. name: the user's.
std::string summary_of(const NodeNames& names, const std::string& name, const NetworkExplanation& explanation) {
  const auto segment = names.segment(explanation.segment);
  const auto runner_up = names.segment(explanation.runner_up);
  if (explanation.difference >= 0)
    return fmt::format("user {} is in segment {} rather than {}.", name, segment, runner_up);
  return fmt::format("user {} is in segment {}, although the centroid of segment {} is nearer: {}.", name, segment,
                     runner_up,
                     names.is_held(explanation.difference)
                         ? "as before, not farther than segment.stickiness asks"
                         : "its segment is not told by centroids, but by what was trained with the network");
}

std::string recomputed(const NetworkExplanation& explanation) {
  const auto done = std::ssize(explanation.contributions);
  if (done == explanation.neighbours) return fmt::format("all {}", counted(done, "neighbour"));
  return fmt::format("the {} of {} that its row is mixed with most strongly", done,
                     counted(explanation.neighbours, "neighbour"));
}

}  // namespace

std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const NetworkExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  const auto& contributions = explanation.contributions;
  const auto ids = names.in_words(contributions);
  const auto user = one_line(user_name(names, explanation));
  std::string text;
  if (explanation.difference < 0) text += summary_of(names, user, explanation) + "\n";
  text += fmt::format("user {}: segment {}, next {}\n", user, names.segment(explanation.segment),
                      names.segment(explanation.runner_up));
  text += fmt::format("nearer to its segment by {:.6f} (distances {:.6f} and {:.6f})\n", explanation.difference,
                      explanation.distance, explanation.runner_up_distance);
  text += fmt::format("without any of its neighbours by {:.6f}\n", explanation.alone);
  if (contributions.empty()) return text;
  text += fmt::format("of that goes with the edge to each of {}\n({}):\n", recomputed(explanation), meaning);
  const auto nearest = explanation.difference < 0 ? explanation.runner_up : explanation.segment;
  const auto size = contributions.size();
  const auto first = std::min(shown, size);
  const auto last = std::max(first, size - std::min(shown / 2, size));
  for (std::size_t i = 0; i < size; ++i) {
    if (i < first || i >= last) {
      const auto without = contributions[i].segment;
      const auto moved =
          without != nearest ? fmt::format("  without it nearest: segment {}", names.segment(without)) : "";
      text += fmt::format("  {:<48} {:>+12.6f}{}\n", names.kind_of(contributions[i].node) + " " + ids[i],
                          contributions[i].value, moved);
    }
    if (i + 1 == last && last > first) {
      text += fmt::format("  {} between these\n", counted(static_cast<std::int64_t>(last - first), "other"));
    }
  }
  return text;
}

Json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                      const NetworkExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  Json json;
  json["user"] = user_name(names, explanation);
  json["summary"] = summary_of(names, user_name(names, explanation), explanation);
  json["segment"] = names.segment(explanation.segment);
  json["runner_up"] = names.segment(explanation.runner_up);
  json["distance"] = explanation.distance;
  json["runner_up_distance"] = explanation.runner_up_distance;
  json["difference"] = explanation.difference;
  auto list = Json::array();
  const auto& rows = explanation.contributions;
  const auto ids = names.of(rows);
  const auto titles = names.labels_of(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Json row;
    row[names.kind_of(rows[i].node)] = ids[i];
    if (!titles[i].empty()) row["name"] = titles[i];
    row["contribution"] = rows[i].value;
    row["nearest_without"] = names.segment(rows[i].segment);
    list.push_back(std::move(row));
  }
  json["left_out"] = {{"meaning", meaning},
                      {"neighbours", explanation.neighbours},
                      {"recomputed", std::ssize(rows)},
                      {"difference_without_all", explanation.alone},
                      {"contributions", std::move(list)}};
  return json;
}

std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const NetworkSegmentExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  const auto& contributions = explanation.contributions;
  const auto ids = names.in_words(contributions);
  auto text = fmt::format("segment {}: {}; next to {}", names.segment(explanation.segment),
                          counted(explanation.users, "user"), explanation.users == 1 ? "it" : "them");
  for (std::size_t i = 0; i < std::min<std::size_t>(3, explanation.runner_ups.size()); ++i) {
    text += fmt::format("{} segment {} ({})", i > 0 ? "," : "", names.segment(explanation.runner_ups[i].segment),
                        counted(explanation.runner_ups[i].users, "user"));
  }
  text += fmt::format("\non average nearer to it than to the next by {:.6f}\n", explanation.difference);
  if (contributions.empty()) return text;
  text += fmt::format(
      "of that goes with the edges to the segment's users of each of the {} of {} that these are mixed with "
      "most strongly\n({}):\n",
      contributions.size(), counted(explanation.neighbours, "neighbour"), meaning_of_segment);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& each = contributions[i];
    const auto name = fmt::format("{} {} ({})", names.kind_of(each.node), ids[i], counted(each.users, "user"));
    text += fmt::format(
        "  {:<48} {:>+12.6f}{}\n", name, each.value,
        each.leaving == 0 ? "" : fmt::format("  nearest to another segment without them: {:+}", each.leaving));
  }
  return text;
}

Json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                      const NetworkSegmentExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  Json json;
  json["segment"] = names.segment(explanation.segment);
  json["users"] = explanation.users;
  json["runner_ups"] = Json::array();
  for (const auto& other : explanation.runner_ups) {
    json["runner_ups"].push_back({{"segment", names.segment(other.segment)}, {"users", other.users}});
  }
  json["difference"] = explanation.difference;
  auto list = Json::array();
  const auto& rows = explanation.contributions;
  const auto ids = names.of(rows);
  const auto titles = names.labels_of(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Json row;
    row[names.kind_of(rows[i].node)] = ids[i];
    if (!titles[i].empty()) row["name"] = titles[i];
    row["contribution"] = rows[i].value;
    row["users"] = rows[i].users;
    row["leaving"] = rows[i].leaving;
    list.push_back(std::move(row));
  }
  json["left_out"] = {{"meaning", meaning_of_segment},
                      {"neighbours", explanation.neighbours},
                      {"recomputed", std::ssize(rows)},
                      {"contributions", std::move(list)}};
  return json;
}

}  // namespace cohort
