#include "ingest/records/missing_ids.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/ragged.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"

namespace cohort {

namespace {

constexpr std::array<std::string_view, 25> missing_words{
    "nan",       "NaN",    "NA",     "<NA>",      "NaT",     "N/A",       "n/a",      "#N/A",   "null",
    "NULL",      "(null)", "<null>", "[null]",    "nil",     "None",      "none",     "(none)", "\\N",
    "undefined", "-",      "-1",     "(not set)", "(other)", "[deleted]", "[removed]"};
constexpr std::array<std::string_view, 4> total_words{"Total", "total", "TOTAL", "Grand Total"};
constexpr std::array<std::string_view, 3> zeros{"00000000-0000-0000-0000-000000000000",
                                                "00000000000000000000000000000000",
                                                "{00000000-0000-0000-0000-000000000000}"};
// In small letters; other users may be called so, so that their share has to speak too.
constexpr std::array<std::string_view, 32> crowd_names{
    "anon",      "anonymous", "guest",   "unknown", "visitor", "nobody",        "none",       "null",
    "user",      "default",   "public",  "system",  "admin",   "test",          "bot",        "n/a",
    "na",        "not set",   "not_set", "unset",   "deleted", "not logged in", "logged out", "notloggedin",
    "localhost", "127.0.0.1", "0.0.0.0", "cash",    "walk-in", "walkin",        "missing",    "empty"};

constexpr std::int64_t times_of_the_next = 3;  // where the user is called as a crowd is
constexpr std::int64_t times_of_any = 10;
constexpr std::int64_t share_of_any = 20;  // one record in so many at least
constexpr std::int64_t fewest_users = 10;
constexpr std::int64_t fewest_records = 100;

struct Digest {
  std::string text;  // in hexadecimal; empty where the system forbids the algorithm, as some do MD5
  std::string of;
};

// Those by which exports hide ids, of ids that were missing; the same number in the same order on all ranks.
std::vector<Digest> made_digests() {
  static constexpr std::array<std::string_view, 12> words{"",     "0",   "-1",  "null",      "NULL",      "None",
                                                          "none", "nan", "NaN", "undefined", "anonymous", "guest"};
  std::vector<Digest> result;
  for (const auto& [name, algorithm] :
       {std::pair("MD5", EVP_md5()), std::pair("SHA-1", EVP_sha1()), std::pair("SHA-256", EVP_sha256())}) {
    for (const auto word : words) {
      std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
      unsigned int size = 0;
      if (EVP_Digest(word.data(), word.size(), bytes.data(), &size, algorithm, nullptr) != 1) size = 0;
      std::string text;
      for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
      result.push_back({text, std::string("the ") + name + " of " + (word.empty() ? "nothing" : quoted(word))});
    }
  }
  return result;
}

const std::vector<Digest>& digests_of_nothing() {
  static const auto digests = made_digests();
  return digests;
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (auto& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return small;
}

// 0, 000000, -1, 99999999, ffffffff-ffff: one character all along.
bool repeats_one_character(std::string_view text) {
  const auto other = text.find_first_not_of("-{}:");
  if (text == "-1") return true;
  if (other == std::string_view::npos) return false;
  const char c = text[other];
  const auto count = std::ranges::count(text, c);
  if (text.find_first_not_of(std::string("-{}:") + c) != std::string_view::npos) return false;
  return c == '0' || ((c == '9' || c == 'f' || c == 'F' || c == 'x' || c == 'X') && count >= 5);
}

bool is_called_as_a_crowd(std::string_view id) {
  const auto& digests = digests_of_nothing();
  const auto small = in_small_letters(id);
  return std::ranges::find(crowd_names, small) != crowd_names.end() ||
         (!small.empty() && std::ranges::find(digests, small, &Digest::text) != digests.end()) ||
         std::ranges::find(missing_words, id) != missing_words.end() || repeats_one_character(id);
}

}  // namespace

std::vector<std::string> warn_of_missing_words(const Communicator& comm, FileRole role, const LocalPairs& pairs,
                                               const IdInterner& first, const IdInterner& second) {
  if (role == FileRole::labels) return {};
  struct Word {
    std::string text;
    std::string why;
  };
  std::vector<Word> words;
  std::vector<std::int64_t> counts;
  comm.attempt([&] {
    const std::string remedy =
        "; it is taken as an id. Leave such records out of the file, or write nothing there and set clean.incomplete = "
        "\"drop\"";
    for (const auto word : missing_words) {
      words.push_back({std::string(word), ", as programs write one that is missing" + remedy});
    }
    for (const auto word : zeros) words.push_back({std::string(word), ", which is that of nobody" + remedy});
    for (const auto& [digest, of] : digests_of_nothing()) {
      words.push_back({digest, ", which is " + of + remedy});
      std::string large = digest;
      for (auto& c : large) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
      words.push_back({large, ", which is " + of + remedy});
    }
    for (const auto word : total_words) {
      words.push_back(
          {std::string(word), ", as the line of a total has; it is taken as an id. Leave such lines out of the file"});
    }
    counts.assign(2 * words.size(), 0);
    for (std::size_t w = 0; w < words.size(); ++w) {
      if (words[w].text.empty()) continue;
      if (const auto number = first.find(words[w].text)) counts[2 * w] = std::ranges::count(pairs.first, *number);
      if (const auto number = second.find(words[w].text)) {
        counts[2 * w + 1] = std::ranges::count(pairs.second, *number);
      }
    }
  });
  comm.sum_in_place(std::span<std::int64_t>(counts));
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::string what = role == FileRole::social ? "user" : i % 2 == 0 ? "user" : "item";
    warnings.push_back(counted(counts[i], "record has", "records have") + " the " + what + " " +
                       quoted(words[i / 2].text) + words[i / 2].why);
  }
  return warnings;
}

std::vector<std::string> warn_of_crowds(const Communicator& comm, const IdTable& users,
                                        std::span<const std::int64_t> records, const PairTable& interactions,
                                        std::int64_t most_items) {
  struct Most {
    std::int64_t records, user, items;
  };
  const auto more_records = [](const Most& a, const Most& b) {
    return std::tuple(-a.records, a.user) < std::tuple(-b.records, b.user);
  };
  const auto more_items = [](const Most& a, const Most& b) {
    return std::tuple(-a.items, a.user) < std::tuple(-b.items, b.user);
  };
  // This rank's two of most records, and of most items among all but the first of them, then those of all ranks.
  std::vector<Most> shown;
  std::int64_t total = 0;
  comm.attempt([&] {
    std::vector<Most> mine;
    for (std::size_t u = 0; u < records.size(); ++u) {
      total += records[u];
      mine.push_back({records[u], users.distribution.begin(comm.rank()) + static_cast<std::int64_t>(u),
                      places_of(interactions.row_begin, u).size()});
    }
    const auto show_two = [&](auto order) {
      const auto middle = mine.begin() + std::min<std::ptrdiff_t>(2, std::ssize(mine));
      std::ranges::partial_sort(mine, middle, order);
      shown.insert(shown.end(), mine.begin(), middle);
    };
    show_two(more_items);
    show_two(more_records);
  });
  auto all = comm.all_gather(std::span<const Most>(shown)).data;
  total = comm.sum(total);
  if (users.total() < fewest_users || total < fewest_records) return {};
  const auto first = *std::ranges::min_element(all, more_records);
  std::erase_if(all, [&](const Most& most) { return most.user == first.user; });
  const auto second = std::ranges::min_element(all, more_records)->records;
  const auto items_of_others = std::ranges::min_element(all, more_items)->items;
  if (most_items > 0 && first.items > most_items) return {};
  const auto owner = users.distribution.owner(first.user);
  const auto name = comm.broadcast(
      owner == comm.rank() ? std::string(users[first.user - users.distribution.begin(owner)]) : std::string(), owner);
  const bool crowd = is_called_as_a_crowd(name) && first.records >= times_of_the_next * second;
  const bool any = first.records >= times_of_any * second && share_of_any * first.records >= total;
  if (!crowd && !any) return {};
  const auto times = static_cast<double>(first.records) / static_cast<double>(std::max<std::int64_t>(1, second));
  return {fmt::format(
      "the user {} has {} of {} records ({:.2g} %), {:.2g} times as many as the next: it may stand for everyone who "
      "was not logged in. {}",
      quoted(name), with_commas(first.records), with_commas(total),
      100 * static_cast<double>(first.records) / static_cast<double>(total), times,
      first.items > items_of_others
          ? "clean.max_user_interactions = " + std::to_string(items_of_others) + " leaves it out, and nobody else"
          : "Leave its records out of the file")};
}

}  // namespace cohort
