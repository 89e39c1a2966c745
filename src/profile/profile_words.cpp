// A segment in one line of plain words, made from the other parts of its profile. Only what a test on held-out
// interactions has borne out, and what the segment clearly has more of, is said to mark it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/ragged.hpp"
#include "core/words.hpp"
#include "profile/profile_parts.hpp"

namespace cohort {

namespace {

constexpr std::size_t named_categories = 3;
constexpr std::size_t named_items = 3;
constexpr std::size_t named_attributes = 2;
constexpr double least_lift = 1.2;     // of an item or a category that is named
constexpr double clearly_more = 1.25;  // of activity and of a category of users, against all users
constexpr double clearly_off = 0.25;   // of a mean, in standard deviations
constexpr double listed_share = 0.05;  // of a segment's users, for their category to be worth words

// A name that holds what separates names stands in quotes, as a field of CSV does.
std::string quoted(const std::string& name) {
  if (name.find_first_of(",;") == std::string::npos) return name;
  std::string result = "\"";
  for (const char c : name) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& text : texts) result += (result.empty() ? "" : ", ") + text;
  return result;
}

// The rows of a segment that are worth a name: the largest lift first, ties as the table has them.
std::vector<std::size_t> named_rows(const MarkTable& table, std::size_t segment, bool tested, std::size_t most) {
  std::vector<std::size_t> rows;
  for (const auto row : places_of(table.row_begin, segment)) {
    if (table.lift[row] >= least_lift && (!tested || table.marking[row] != 0)) rows.push_back(row);
  }
  std::ranges::stable_sort(rows, [&](std::size_t a, std::size_t b) { return table.lift[a] > table.lift[b]; });
  rows.resize(std::min(rows.size(), most));
  return rows;
}

std::vector<std::string> item_names(const MarkTable& table, std::size_t segment, bool tested) {
  std::vector<std::string> result;
  for (const auto row : named_rows(table, segment, tested, named_items)) result.push_back(quoted(table.name[row]));
  return result;
}

// Of all attributes. A number by itself says nothing without its attribute.
std::vector<std::string> category_names(const MarkTable& table, std::size_t segment, bool tested) {
  std::vector<std::string> result;
  for (const auto row : named_rows(table, segment, tested, named_categories)) {
    const bool bare = table.name[row].find_first_not_of("0123456789.-") == std::string::npos;
    result.push_back(quoted(bare ? table.attribute[row] + " " + table.name[row] : table.name[row]));
  }
  return result;
}

// Activity has a word only where it is not average.
std::string activity(const Profiles& profiles, std::size_t segment, double population_mean) {
  const double mean = profiles.mean_interactions[segment];
  const auto items = fmt::format("{:.{}f} items each", mean, mean < 10 ? 1 : 0);
  if (mean >= clearly_more * population_mean) return "active (" + items + ")";
  return mean <= population_mean / clearly_more ? "less active (" + items + ")" : items;
}

std::string tastes(const Profiles& profiles, std::size_t segment) {
  std::string result;
  const bool tested = profiles.tested[0] > 0;
  const auto categories = category_names(profiles.categories, segment, tested);
  if (!categories.empty()) result += fmt::format("; {} {}", tested ? "marked by" : "often", joined(categories));
  const auto items = item_names(profiles.items, segment, tested);
  if (!items.empty()) {
    result += fmt::format("; {} {}", !categories.empty() ? "e.g." : tested ? "marked by" : "often", joined(items));
  }
  return result;
}

std::string people(const Profiles& profiles, std::size_t segment) {
  const auto& numeric = profiles.numeric;
  std::vector<std::string> texts;
  for (std::size_t a = 0; a < numeric.name.size(); ++a) {
    const double off = numeric.deviation[segment * numeric.name.size() + a];
    if (!(std::fabs(off) >= clearly_off)) continue;
    texts.push_back(numeric.name[a] == "age"
                        ? (off > 0 ? "older than average" : "younger than average")
                        : fmt::format("{} {} average", numeric.name[a], off > 0 ? "above" : "below"));
  }
  const auto& table = profiles.user_categories;
  std::size_t added = 0;
  for (const auto row : places_of(table.row_begin, segment)) {
    if (added == named_attributes || table.lift[row] < clearly_more || table.share[row] < listed_share) continue;
    texts.push_back(fmt::format("more often {} {}", table.attribute[row], quoted(table.name[row])));
    ++added;
  }
  return texts.empty() ? "" : "; " + joined(texts);
}

}  // namespace

void describe_segments(const ProfileInput& input, Profiles& profiles) {
  const auto& size = input.segments->size;
  const auto users = static_cast<double>(input.dataset->users.total());
  const auto interactions =
      std::accumulate(profiles.interactions.begin(), profiles.interactions.end(), std::int64_t{0});
  for (std::size_t s = 0; s < size.size(); ++s) {
    auto text = fmt::format("{} ({:.1f} % of {})", counted(size[s], "user"), 100 * static_cast<double>(size[s]) / users,
                            input.whole);
    if (interactions > 0) text += ", " + activity(profiles, s, static_cast<double>(interactions) / users);
    const auto marks = tastes(profiles, s) + people(profiles, s);
    const char* nothing = profiles.tested[0] > 0 ? "; nothing marks it" : "; it has nothing clearly more often";
    profiles.description.push_back(text + (marks.empty() ? nothing : marks));
  }
}

}  // namespace cohort
