#include "cli/output/levels_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

// The children of every segment of every level but the finest, by level and segment; ascending.
using Children = std::vector<std::vector<std::vector<std::size_t>>>;

Children children_of(const Segments& segments) {
  Children children;
  for (std::size_t n = 0; n < segments.levels.size(); ++n) {
    auto& of_level = children.emplace_back(segments.levels[n].size.size());
    const auto parents = parents_at(segments.levels, n + 1);
    for (std::size_t s = 0; s < parents.size(); ++s) of_level[parents[s]].push_back(s);
  }
  return children;
}

// What the segment of a row is called.
std::int64_t called(const SegmentsFile& result, std::size_t level, std::size_t segment) {
  return number_of(numbers_at(result.segments, level), static_cast<std::int64_t>(segment));
}

void add_branch(const SegmentsFile& result, const Children& children, std::size_t level, std::size_t segment,
                std::string& text) {
  const auto& levels = result.segments.levels;
  const auto& words =
      level == 0 ? levels.front().profiles->description[segment] : result.additions[level - 1].description[segment];
  fmt::format_to(std::back_inserter(text), "{:>{}}level {} segment {}: {}\n", "", 2 * level, level + 1,
                 called(result, level, segment), words);
  if (level == levels.size()) return;
  for (const auto child : children[level][segment]) add_branch(result, children, level + 1, child, text);
}

bool is_profiled(const SegmentsFile& result) {
  return !result.segments.levels.empty() && result.profiles && !result.additions.empty();
}

}  // namespace

Json levels_json(const SegmentsFile& result) {
  auto list = Json::array();
  if (!is_profiled(result)) return list;
  const auto& levels = result.segments.levels;
  for (std::size_t n = 0; n <= levels.size(); ++n) {
    const bool finest = n == levels.size();
    const auto& size = finest ? result.segments.size : levels[n].size;
    const auto& words = finest ? result.profiles->description : levels[n].profiles->description;
    const auto parents = n > 0 ? parents_at(levels, n) : std::vector<std::int32_t>();
    auto segments = Json::array();
    for (std::size_t s = 0; s < size.size(); ++s) {
      Json segment{{"segment", called(result, n, s)},
                   {"parent", n > 0 ? Json(called(result, n - 1, parents[s])) : Json()},
                   {"users", size[s]}};
      segment["description"] = words[s];
      if (n > 0) segment["added"] = result.additions[n - 1].description[s];
      segments.push_back(std::move(segment));
    }
    list.push_back(Json{{"level", n + 1}, {"segments", std::move(segments)}});
  }
  return list;
}

std::string levels_tree(const SegmentsFile& result) {
  if (!is_profiled(result)) return {};
  const auto children = children_of(result.segments);
  std::string text = "\nsegments inside segments, and what each adds to the one that it lies in\n";
  for (std::size_t s = 0; s < result.segments.levels.front().size.size(); ++s) {
    add_branch(result, children, 0, s, text);
  }
  return text;
}

}  // namespace cohort
