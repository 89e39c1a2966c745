#include "cli/output/initial_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/config_text.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"

namespace cohort {

namespace {

constexpr std::size_t widest_comment = 116;

// A comment that is broken between words.
void comment(std::string& text, std::string_view words, std::string_view margin = "# ") {
  const auto line = one_line(words);
  std::string_view left = line;
  const auto room = widest_comment - margin.size();
  for (bool first = true; !left.empty(); first = false) {
    auto end = left.size();
    if (left.size() > room) {
      end = left.rfind(' ', room);
      if (end == std::string_view::npos) end = std::min(left.find(' '), left.size());
    }
    text.append(margin).append(first ? "" : "  ").append(left.substr(0, end)).append("\n");
    left.remove_prefix(std::min(end + 1, left.size()));
  }
}

std::string array_of(const std::vector<std::string>& paths) {
  if (paths.size() == 1) return toml_string(paths[0]);
  std::string text = "[";
  for (const auto& path : paths) text += (text.size() > 1 ? ", " : "") + toml_string(path);
  return text + "]";
}

void add_files(std::string& text, const SeenFiles& files, std::string_view key) {
  if (files.paths.empty()) return;
  for (const auto& file : files.seen) comment(text, file);
  if (!files.counts.empty()) comment(text, files.counts);
  text += fmt::format("{} = {}\n\n", key, array_of(files.paths));
}

// A bare key of TOML, or a quoted one.
std::string key_of(const std::string& name) {
  const bool bare = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? name : toml_string(name);
}

// What an event of such a name is usually worth, beside a look at an item.
int usual_factor(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  const auto has = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return name.find(word) != std::string::npos; });
  };
  if (has({"dislike", "unlike", "remove", "return", "refund", "cancel", "error"})) return 0;
  if (has({"buy", "purchase", "order", "transaction", "checkout", "conversion"})) return 5;
  if (has({"cart", "basket", "fav", "wish", "like", "save", "bookmark", "share"})) return 3;
  return 1;
}

std::string columns_text(const std::vector<std::pair<std::string, std::string>>& columns) {
  std::string text;
  for (const auto& [role, column] : columns) {
    const bool index = std::ranges::all_of(column, [](char c) { return c >= '0' && c <= '9'; });
    text += (text.empty() ? "" : ", ") + role + " = " + (index ? column : toml_string(column));
  }
  return "columns = {" + text + "}\n\n";
}

std::string input_section(const InitialConfig& config) {
  std::string text = "[input]\n";
  for (const auto& warning : config.warnings) comment(text, "Look at this: " + warning);
  add_files(text, config.interactions, "interactions");
  if (!config.columns.empty()) {
    comment(text, "Told from the file; by the names of its header, or counted from 0:");
    text += columns_text(config.columns);
  }
  if (!config.settings.empty()) text += config.settings + "\n";
  add_files(text, config.social, "social");
  add_files(text, config.item_attributes, "item_attributes");
  add_files(text, config.user_attributes, "user_attributes");
  for (const auto& file : config.unused) comment(text, "Not used: " + file);
  if (!config.unused.empty()) text += "\n";
  if (config.interactions.paths.empty()) return text;
  comment(text, "Interactions kept aside, on which recommendations and what marks segments are tested; one of:");
  text += "# holdout = 0.1                  # a share of all, drawn\n";
  if (config.has_times) {
    text += "# holdout_split = \"temporal\"     # with it: the latest of all\n";
    text += "# holdout_last = 1               # the latest of each user\n";
  }
  return text + "\n";
}

std::string clean_section(const InitialConfig& config) {
  std::string text = "[clean]\n";
  if (config.incomplete > 0) {
    comment(text, fmt::format("{} {} no user, item or weight, or a negative weight; without this an error:",
                              counted(config.incomplete, "record"), noun(config.incomplete, "has", "have")));
    text += "incomplete = \"drop\"\n";
  }
  if (config.bad_lines > 0) {
    comment(text,
            fmt::format("{} cannot be read, the first: {}", counted(config.bad_lines, "line"), config.first_bad_line));
    text += fmt::format("max_bad_lines = {}\n", config.bad_lines);
  }
  if (config.interactions.paths.empty()) {
    if (text == "[clean]\n") return "";
    return text + "\n";
  }
  text += "# min_user_interactions = 5      # users with fewer are left out\n";
  text += "# min_item_interactions = 5      # items with fewer are left out\n";
  if (config.has_weights) {
    text += "# repeats = \"last\"               # of several records of a user and an item; else weights are summed\n";
  }
  return text + "\n";
}

std::string graph_section(const InitialConfig& config) {
  std::string text;
  if (config.has_weights) {
    text +=
        "# weight = \"log\"                 # stronger interactions count more: ln(1 + weight); else all count alike\n";
  }
  if (!config.event_column.empty()) {
    comment(text, "What was done stands in " + config.event_column +
                      ", and all counts alike, unless it is said what each is worth (0: left out):");
    if (!config.has_weights) text += "# weight = \"log\"\n";
    std::string factors;
    std::string counts;
    for (const auto& [event, count] : config.events) {
      factors += (factors.empty() ? "" : ", ") + key_of(event) + " = " + std::to_string(usual_factor(event));
      counts += (counts.empty() ? "" : ", ") + quoted(event) + " " + with_commas(count);
    }
    if (!factors.empty()) {
      text += "# event_weights = {" + factors + "}\n";
      comment(text, "Records: " + counts);
    }
  }
  if (config.has_times) {
    text += "# half_life = 90                 # days after which an interaction counts half; needs weight = \"log\"\n";
  }
  return text.empty() ? "" : "[graph]\n" + text + "\n";
}

}  // namespace

std::string initial_config_text(const InitialConfig& config) {
  std::string text;
  comment(text, "Written by `" + config.made_by + "`. Run it: cohort run, with this file's name.");
  comment(text, "What stands behind # is not set; docs/user-guide.md has every key.");
  text += "\n" + input_section(config) + clean_section(config) + graph_section(config);
  text += fmt::format("[segment]\ncount = {:<23}  # segments looked for\n\n", config.segments);
  text += "[output]\ndirectory = \"run\"                # graph.h5, model.h5 and segments.h5, the result\n";
  return text;
}

}  // namespace cohort
