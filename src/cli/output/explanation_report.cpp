#include "cli/output/explanation_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/output/node_names.hpp"
#include "cli/output/report.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t shown = 10;
constexpr double mostly = 0.5;  // of the difference

std::string user_name(const NodeNames& names, const UserExplanation& explanation) {
  return names.of(std::vector<Contribution>{{explanation.user, 0}}).front();
}

std::string line(const std::string& name, double value) {
  return fmt::format("  {:<48} {:>+12.6f}\n", name, value);
}

Json rows_json(const NodeNames& names, const std::vector<Contribution>& rows) {
  auto list = Json::array();
  const auto ids = names.of(rows);
  const auto labels = names.labels_of(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Json row;
    row[names.kind_of(rows[i].node)] = ids[i];
    if (!labels[i].empty()) row["name"] = labels[i];
    row["contribution"] = rows[i].value;
    list.push_back(std::move(row));
  }
  return list;
}

constexpr const char* own_row = "what training learnt for this user alone, which no single item or friend accounts for";
constexpr const char* own_rows =
    "what training learnt for each user alone, which no single item or friend accounts for";

// Of the difference; NaN where there is none.
double share_of(double part, double difference) {
  return difference > 0 ? part / difference : std::nan("");
}

std::string percent_of(double part, double difference) {
  const double share = share_of(part, difference);
  return std::isnan(share) ? "" : fmt::format(", {:.0f} % of the difference", 100 * share);
}

Json share_json(double part, double difference) {
  const double share = share_of(part, difference);
  return std::isnan(share) ? Json(nullptr) : Json(share);
}

// The first sentence: what makes up most of the difference, where that is the users' own rows.
std::string summary_of(const NodeNames& names, const std::string& name, const UserExplanation& explanation) {
  const auto segment = names.segment(explanation.segment);
  const auto runner_up = names.segment(explanation.runner_up);
  if (names.is_held(explanation.difference)) {
    return fmt::format(
        "user {} is in segment {} as before, although segment {} is nearer, not by more than segment.stickiness asks.",
        name, segment, runner_up);
  }
  if (share_of(explanation.own, explanation.difference) > mostly) {
    return fmt::format(
        "user {} is in segment {} rather than {} mostly ({:.0f} % of the difference) by its own row of the model: {}.",
        name, segment, runner_up, 100 * share_of(explanation.own, explanation.difference), own_row);
  }
  const auto share = percent_of(explanation.own, explanation.difference);
  return fmt::format("user {} is in segment {} rather than {}{}.", name, segment, runner_up,
                     share.empty() ? share : "; its own row of the model makes up" + share.substr(1));
}

}  // namespace

std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const UserExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  const auto& contributions = explanation.contributions;
  const auto ids = names.in_words(contributions);
  const auto user = one_line(user_name(names, explanation));
  std::string text;
  if (names.is_held(explanation.difference) || share_of(explanation.own, explanation.difference) > mostly) {
    text += summary_of(names, user, explanation) + "\n";
  }
  const auto runner_up = names.segment(explanation.runner_up);
  text += fmt::format("user {}: segment {}, next {}\n", user, names.segment(explanation.segment), runner_up);
  text += fmt::format("nearer to its segment by {:.6f} (distances {:.6f} and {:.6f}), which is made up of:\n",
                      explanation.difference, explanation.distance, explanation.runner_up_distance);
  // The largest of either sign; the rest in one line.
  const auto size = contributions.size();
  const auto first = std::min(shown, size);
  const auto last = std::max(first, size - std::min(shown / 2, size));
  double rest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i < first || i >= last) {
      text += line(names.kind_of(contributions[i].node) + " " + ids[i], contributions[i].value);
    } else {
      rest += contributions[i].value;
    }
    if (i + 1 == last && last > first) text += line(counted(static_cast<std::int64_t>(last - first), "other"), rest);
  }
  text += line("its own row of the model", explanation.own);
  text += line("the centroids", explanation.constant);
  text += line("rounding of the stored embedding", explanation.rounding);
  text += fmt::format("its own row of the model{}: {}\n", percent_of(explanation.own, explanation.difference), own_row);
  text += fmt::format("to segment {}, to first order (degrees and other users as they are):\n", runner_up);
  text += explanation.removals < 0 ? "  losing interactions alone does not take it there\n"
                                   : fmt::format("  by losing the first {} of the above\n", explanation.removals);
  if (explanation.additions.empty()) {
    text += "  no new item would take it nearer\n";
  } else {
    const auto added = names.in_words(explanation.additions);
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, added.size()); ++i) list += (i > 0 ? "; " : "") + added[i];
    text += explanation.additions_needed < 0 ? fmt::format("  more than {}; the nearest way: {}\n",
                                                           counted(std::ssize(explanation.additions), "new item"), list)
                                             : fmt::format("  by {} new of: {}\n", explanation.additions_needed, list);
  }
  return text;
}

Json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                      const UserExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  Json json;
  json["user"] = user_name(names, explanation);
  json["summary"] = summary_of(names, user_name(names, explanation), explanation);
  json["segment"] = names.segment(explanation.segment);
  json["runner_up"] = names.segment(explanation.runner_up);
  json["distance"] = explanation.distance;
  json["runner_up_distance"] = explanation.runner_up_distance;
  json["difference"] = explanation.difference;
  json["exact"] = {{"own", explanation.own},
                   {"own_share", share_json(explanation.own, explanation.difference)},
                   {"constant", explanation.constant},
                   {"rounding", explanation.rounding},
                   {"contributions", rows_json(names, explanation.contributions)}};
  json["first_order"] = {
      {"removals_needed", explanation.removals < 0 ? Json(nullptr) : Json(explanation.removals)},
      {"additions_needed", explanation.additions_needed < 0 ? Json(nullptr) : Json(explanation.additions_needed)},
      {"additions", rows_json(names, explanation.additions)}};
  return json;
}

std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                             const SegmentExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  std::string text;
  if (share_of(explanation.own, explanation.difference) > mostly) {
    text = fmt::format(
        "segment {} holds together mostly ({:.0f} % of the difference) by its users' own rows of the model: {}.\n",
        names.segment(explanation.segment), 100 * share_of(explanation.own, explanation.difference), own_rows);
  }
  text += fmt::format("segment {}: {}; next to {}", names.segment(explanation.segment),
                      counted(explanation.users, "user"), explanation.users == 1 ? "it" : "them");
  for (std::size_t i = 0; i < std::min<std::size_t>(3, explanation.runner_ups.size()); ++i) {
    text += fmt::format("{} segment {} ({})", i > 0 ? "," : "", names.segment(explanation.runner_ups[i].segment),
                        counted(explanation.runner_ups[i].users, "user"));
  }
  text += fmt::format("\non average nearer to it than to the next by {:.6f}, which is made up of:\n",
                      explanation.difference);
  const auto words = names.in_words(explanation.top);
  double listed = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += line(fmt::format("item {} ({})", words[i], counted(explanation.top[i].users, "user")),
                 explanation.top[i].value);
    listed += explanation.top[i].value;
  }
  text += line("all other items", explanation.items - listed);
  text += line(labels.neighbour + "s", explanation.friends);
  text += line("the users' own rows of the model", explanation.own);
  text += line("the centroids", explanation.constant);
  text += line("rounding of the stored embedding", explanation.rounding);
  return text + fmt::format("the users' own rows of the model{}: {}\n",
                            percent_of(explanation.own, explanation.difference), own_rows);
}

Json explanation_json(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels,
                      const SegmentExplanation& explanation) {
  const NodeNames names(comm, result, labels);
  Json json;
  json["segment"] = names.segment(explanation.segment);
  json["users"] = explanation.users;
  json["runner_ups"] = Json::array();
  for (const auto& other : explanation.runner_ups) {
    json["runner_ups"].push_back({{"segment", names.segment(other.segment)}, {"users", other.users}});
  }
  json["difference"] = explanation.difference;
  json["exact"] = {
      {"own", explanation.own},           {"own_share", share_json(explanation.own, explanation.difference)},
      {"constant", explanation.constant}, {"items", explanation.items},
      {"friends", explanation.friends},   {"rounding", explanation.rounding}};
  json["items"] = Json::array();
  const auto ids = names.of(explanation.top);
  const auto item_labels = names.labels_of(explanation.top);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Json item;
    item["item"] = ids[i];
    if (!item_labels[i].empty()) item["name"] = item_labels[i];
    item["contribution"] = explanation.top[i].value;
    item["users"] = explanation.top[i].users;
    json["items"].push_back(std::move(item));
  }
  return json;
}

}  // namespace cohort
