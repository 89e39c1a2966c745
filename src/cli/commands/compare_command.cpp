#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output/logging.hpp"
#include "cli/output/report.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "evaluate/comparison.hpp"
#include "store/segments_file.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t moves_shown = 10;

struct CompareOptions {
  std::string first;
  std::string second;
  bool json = false;
};

struct Compared {
  UserSegments first;
  UserSegments second;
  Comparison comparison;
};

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// The users of each segment of the first that the second has too.
std::vector<std::int64_t> common_from(const Compared& both) {
  auto common = both.first.size;
  for (std::size_t s = 0; s < common.size(); ++s) common[s] -= both.comparison.gone_from[s];
  return common;
}

std::vector<std::int64_t> users_matched(const Comparison& comparison) {
  std::vector<std::int64_t> users(comparison.match.size(), 0);
  for (const auto& flow : comparison.flows) {
    const auto from = static_cast<std::size_t>(flow.from);
    if (comparison.match[from] == flow.to) users[from] = flow.users;
  }
  return users;
}

// What every segment is called.
std::vector<std::int64_t> numbers_of(const UserSegments& result) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t row = 0; row < std::ssize(result.size); ++row) numbers.push_back(number_of(result.number, row));
  return numbers;
}

Json as_json(const CompareOptions& options, const Compared& both) {
  const auto& comparison = both.comparison;
  Json json;
  json["first"] = options.first;
  json["second"] = options.second;
  json["users"] = {{"first", both.first.users.total()},
                   {"second", both.second.users.total()},
                   {"common", comparison.common()},
                   {"gone", comparison.gone},
                   {"new", comparison.added}};
  json["segments"] = {{"first", both.first.size}, {"second", both.second.size}};
  const auto first = numbers_of(both.first);
  const auto second = numbers_of(both.second);
  json["numbers"] = {{"first", first}, {"second", second}};
  json["ari"] = comparison.agreement.ari;
  json["nmi"] = comparison.agreement.nmi;
  json["stayed"] = comparison.stayed;
  json["stay_share"] = share(comparison.stayed, comparison.common());
  json["matching"] = Json::array();
  const auto users = users_matched(comparison);
  for (std::size_t s = 0; s < comparison.match.size(); ++s) {
    const auto to = comparison.match[s];
    json["matching"].push_back({{"from", first[s]}, {"to", to < 0 ? Json() : Json(second[to])}, {"users", users[s]}});
  }
  json["flows"] = Json::array();
  for (const auto& flow : comparison.flows) {
    json["flows"].push_back({{"from", first[flow.from]}, {"to", second[flow.to]}, {"users", flow.users}});
  }
  json["gone_from"] = comparison.gone_from;
  json["new_to"] = comparison.added_to;
  return json;
}

std::string for_a_person(const CompareOptions& options, const Compared& both) {
  const auto& comparison = both.comparison;
  const auto common = comparison.common();
  auto text =
      fmt::format("first:  {}: {}, {}\nsecond: {}: {}, {}\n", options.first, counted(both.first.users.total(), "user"),
                  counted(std::ssize(both.first.size), "segment"), options.second,
                  counted(both.second.users.total(), "user"), counted(std::ssize(both.second.size), "segment"));
  text += fmt::format("{} in both, {} gone, {} new\n", counted(common, "user"), with_commas(comparison.gone),
                      with_commas(comparison.added));
  text += fmt::format("ARI {:.4f}, NMI {:.4f}; {:.1f} % of the users in both are in the matching segment\n\n",
                      comparison.agreement.ari, comparison.agreement.nmi, 100 * share(comparison.stayed, common));
  text += fmt::format("{:>8} {:>12}    {:>8} {:>12} {:>12} {:>8}\n", "segment", "users", "becomes", "users", "stay",
                      "share");
  const auto users = users_matched(comparison);
  const auto first = numbers_of(both.first);
  const auto second = numbers_of(both.second);
  const auto of_first = common_from(both);
  for (std::size_t s = 0; s < comparison.match.size(); ++s) {
    const auto to = comparison.match[s];
    if (to < 0) {
      text += fmt::format("{:>8} {:>12} -> {:>8}\n", first[s], with_commas(both.first.size[s]), "none");
      continue;
    }
    text += fmt::format("{:>8} {:>12} -> {:>8} {:>12} {:>12} {:>6.1f} %\n", first[s], with_commas(both.first.size[s]),
                        second[to], with_commas(both.second.size[to]), with_commas(users[s]),
                        100 * share(users[s], of_first[s]));
  }
  auto moves = comparison.flows;
  std::erase_if(moves, [&](const SegmentFlow& flow) { return comparison.match[flow.from] == flow.to; });
  std::ranges::stable_sort(moves, std::greater<>(), &SegmentFlow::users);
  if (moves.empty()) return text;
  text += fmt::format("\nmoves to other segments: {}, the largest\n", moves.size());
  for (std::size_t i = 0; i < std::min(moves.size(), moves_shown); ++i) {
    text +=
        fmt::format("{:>8} {:>12} -> {:>8}\n", first[moves[i].from], with_commas(moves[i].users), second[moves[i].to]);
  }
  return text;
}

void compare(const CompareOptions& options) {
  const auto comm = Communicator::world();
  Compared both;
  both.first = read_user_segments(comm, options.first);
  both.second = read_user_segments(comm, options.second);
  both.comparison = compare_segments(comm, both.first, both.second);
  if (both.comparison.common() == 0) {
    throw InputError(options.first + " and " + options.second +
                     " have no user in common; compare results whose users " + "have the same ids");
  }
  say(comm, options.json ? as_json(options, both).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                         : printable(for_a_person(options, both)));
}

}  // namespace

void add_compare_command(CLI::App& program) {
  auto* command =
      program.add_subcommand("compare", "How far two results agree, and who moved from which segment to which");
  const auto options = std::make_shared<CompareOptions>();
  command->add_option("first", options->first, "segments.h5, the earlier one")->required()->type_name("FILE");
  command->add_option("second", options->second, "segments.h5, the later one")->required()->type_name("FILE");
  command->add_flag("--json", options->json, "One JSON object, with every flow");
  add_logging_options(*command);
  command->callback([options] { compare(*options); });
}

}  // namespace cohort
