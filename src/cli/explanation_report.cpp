#include "cli/explanation_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/report.hpp"
#include "segment/id_names.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t shown = 10;

// Ids of nodes, users and items alike.
class NodeNames {
 public:
  NodeNames(const Communicator& comm, const SegmentsFile& result) : comm_(comm), result_(result) {}
  bool is_user(NodeId node) const { return node.value < result_.users.total(); }

  template <class Rows>
  std::vector<std::string> of(const Rows& rows) const {
    std::vector<std::int64_t> users;
    std::vector<std::int64_t> items;
    for (const auto& row : rows) {
      (is_user(row.node) ? users : items).push_back(row.node.value - (is_user(row.node) ? 0 : result_.users.total()));
    }
    const auto user_ids = texts(result_.users, users);
    const auto item_ids = texts(result_.items, items);
    auto user = user_ids.begin();
    auto item = item_ids.begin();
    std::vector<std::string> names;
    for (const auto& row : rows) names.push_back(is_user(row.node) ? *user++ : *item++);
    return names;
  }

 private:
  std::vector<std::string> texts(const IdTable& ids, const std::vector<std::int64_t>& numbers) const {
    return texts_of(comm_, ids.distribution, numbers, [&](std::int64_t i) { return ids[i]; });
  }
  const Communicator& comm_;
  const SegmentsFile& result_;
};

std::string user_name(const NodeNames& names, const UserExplanation& explanation) {
  return names.of(std::vector<Contribution>{{explanation.user, 0}}).front();
}

std::string line(const std::string& name, double value) {
  return fmt::format("  {:<48} {:>+12.6f}\n", name, value);
}

Json rows_json(const NodeNames& names, const std::vector<Contribution>& rows, std::size_t most) {
  auto list = Json::array();
  const auto ids = names.of(rows);
  for (std::size_t i = 0; i < std::min(most, rows.size()); ++i) {
    list.push_back({{names.is_user(rows[i].node) ? "friend" : "item", ids[i]}, {"contribution", rows[i].value}});
  }
  return list;
}

}  // namespace

std::string explanation_text(const Communicator& comm, const SegmentsFile& result, const UserExplanation& explanation) {
  const NodeNames names(comm, result);
  const auto& contributions = explanation.contributions;
  const auto ids = names.of(contributions);
  auto text = fmt::format("user {}: segment {}, next {}\n", user_name(names, explanation), explanation.segment,
                          explanation.runner_up);
  text += fmt::format("nearer to its segment by {:.6f} (distances {:.6f} and {:.6f}), which is made up of:\n",
                      explanation.difference, explanation.distance, explanation.runner_up_distance);
  // The largest of either sign; the rest in one line.
  const auto size = contributions.size();
  const auto first = std::min(shown, size);
  const auto last = std::max(first, size - std::min(shown / 2, size));
  double rest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i < first || i >= last) {
      text += line((names.is_user(contributions[i].node) ? "friend " : "item ") + ids[i], contributions[i].value);
    } else {
      rest += contributions[i].value;
    }
    if (i + 1 == last && last > first) text += line(fmt::format("{} others", last - first), rest);
  }
  text += line("its own row of the model", explanation.own);
  text += line("the centroids", explanation.constant);
  text += line("rounding of the stored embedding", explanation.rounding);
  text += fmt::format("to segment {}, to first order (degrees and other users as they are):\n", explanation.runner_up);
  text += explanation.removals < 0 ? "  losing interactions alone does not take it there\n"
                                   : fmt::format("  by losing the first {} of the above\n", explanation.removals);
  if (explanation.additions.empty()) {
    text += "  no new item would take it nearer\n";
  } else {
    const auto added = names.of(explanation.additions);
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, added.size()); ++i) list += (i > 0 ? ", " : "") + added[i];
    text += explanation.additions_needed < 0
                ? fmt::format("  more than {} new items; the nearest way: {}\n", explanation.additions.size(), list)
                : fmt::format("  by {} new of: {}\n", explanation.additions_needed, list);
  }
  return text;
}

Json explanation_json(const Communicator& comm, const SegmentsFile& result, const UserExplanation& explanation) {
  const NodeNames names(comm, result);
  Json json;
  json["user"] = user_name(names, explanation);
  json["segment"] = explanation.segment;
  json["runner_up"] = explanation.runner_up;
  json["distance"] = explanation.distance;
  json["runner_up_distance"] = explanation.runner_up_distance;
  json["difference"] = explanation.difference;
  json["exact"] = {{"own", explanation.own},
                   {"constant", explanation.constant},
                   {"rounding", explanation.rounding},
                   {"contributions", rows_json(names, explanation.contributions, explanation.contributions.size())}};
  json["first_order"] = {
      {"removals_needed", explanation.removals < 0 ? Json(nullptr) : Json(explanation.removals)},
      {"additions_needed", explanation.additions_needed < 0 ? Json(nullptr) : Json(explanation.additions_needed)},
      {"additions", rows_json(names, explanation.additions, explanation.additions.size())}};
  return json;
}

std::string explanation_text(const Communicator& comm, const SegmentsFile& result,
                             const SegmentExplanation& explanation) {
  const NodeNames names(comm, result);
  auto text = fmt::format("segment {}: {} users; next to them", explanation.segment, with_commas(explanation.users));
  for (std::size_t i = 0; i < std::min<std::size_t>(3, explanation.runner_ups.size()); ++i) {
    text += fmt::format("{} segment {} ({} users)", i > 0 ? "," : "", explanation.runner_ups[i].segment,
                        with_commas(explanation.runner_ups[i].users));
  }
  text += fmt::format("\non average nearer to it than to the next by {:.6f}, which is made up of:\n",
                      explanation.difference);
  const auto ids = names.of(explanation.top);
  double listed = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    text += line(fmt::format("item {} ({} users)", ids[i], with_commas(explanation.top[i].users)),
                 explanation.top[i].value);
    listed += explanation.top[i].value;
  }
  text += line("all other items", explanation.items - listed);
  text += line("friends", explanation.friends);
  text += line("the users' own rows of the model", explanation.own);
  text += line("the centroids", explanation.constant);
  return text + line("rounding of the stored embedding", explanation.rounding);
}

Json explanation_json(const Communicator& comm, const SegmentsFile& result, const SegmentExplanation& explanation) {
  const NodeNames names(comm, result);
  Json json;
  json["segment"] = explanation.segment;
  json["users"] = explanation.users;
  json["runner_ups"] = Json::array();
  for (const auto& other : explanation.runner_ups) {
    json["runner_ups"].push_back({{"segment", other.segment}, {"users", other.users}});
  }
  json["difference"] = explanation.difference;
  json["exact"] = {{"own", explanation.own},
                   {"constant", explanation.constant},
                   {"items", explanation.items},
                   {"friends", explanation.friends},
                   {"rounding", explanation.rounding}};
  json["items"] = Json::array();
  const auto ids = names.of(explanation.top);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    json["items"].push_back(
        {{"item", ids[i]}, {"contribution", explanation.top[i].value}, {"users", explanation.top[i].users}});
  }
  return json;
}

}  // namespace cohort
