#include "generate/population.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "comm/distribution.hpp"
#include "core/error.hpp"
#include "generate/activity.hpp"
#include "generate/friendships.hpp"
#include "generate/interactions.hpp"
#include "generate/item_catalogue.hpp"
#include "generate/text_file.hpp"
#include "generate/user_roll.hpp"

namespace cohort {

namespace {

constexpr std::int64_t most_items = 100'000'000;
constexpr std::int64_t most_users = 1'000'000'000'000;

std::string shortest(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

void check(bool good, const std::string& message) {
  if (!good) throw InputError("cohort generate: " + message);
}

void check_options(const PopulationOptions& options) {
  const auto users = std::to_string(options.users);
  const auto items = std::to_string(options.items);
  const auto interactions = "--interactions " + std::to_string(options.interactions);
  check(options.users >= 1 && options.users <= most_users,
        "--users " + users + " must be from 1 to " + std::to_string(most_users));
  check(options.items >= 1 && options.items <= most_items,
        "--items " + items + " must be from 1 to " + std::to_string(most_items));
  check(options.segments >= 1 && options.segments <= std::min(options.users, options.items),
        "--segments " + std::to_string(options.segments) + " must be from 1 to the number of users (" + users +
            ") and of items (" + items + "), as each segment has at least one of both");
  check(options.noise >= 0 && options.noise <= 1, "--noise " + shortest(options.noise) + " must be from 0 to 1");
  check(options.interactions >= options.users,
        interactions + " must be at least the number of users (" + users + "), as each has at least one");
  __extension__ using Wide = __int128;
  check(Wide{options.interactions} <= Wide{options.users} * options.items,
        interactions + " is more than the different pairs of " + users + " users and " + items +
            " items; ask for fewer, or for more users or items");
  check(options.social >= 0, "--social " + std::to_string(options.social) + " must not be negative");
}

void check_social(const PopulationOptions& options, const UserRoll& roll) {
  const auto most = most_friendships(roll, options.noise);
  check(options.social <= most, "--social " + std::to_string(options.social) +
                                    " is more than half of the pairs of users who share a segment, " +
                                    std::to_string(most) + "; ask for fewer, or for more users or fewer segments");
}

void make_directory(const Communicator& comm, const std::string& directory) {
  comm.attempt([&] {
    if (!comm.is_root()) return;
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error || !std::filesystem::is_directory(directory)) {
      throw InputError("cannot make the directory " + directory +
                       " (--output): " + (error ? error.message() : "there is a file of that name"));
    }
  });
}

std::vector<std::string> truth_lines(const UserRoll& roll, std::int64_t first_user, std::int64_t last_user) {
  std::vector<std::string> pieces(1);
  for (auto user = first_user; user < last_user; ++user) {
    append_id(pieces[0], 'u', user);
    pieces[0] += '\t' + std::to_string(roll.segment(user)) + '\n';
  }
  return pieces;
}

// This rank's part of the items.
std::vector<std::string> item_truth_lines(const Communicator& comm, const ItemCatalogue& catalogue) {
  const auto blocks = Distribution::even(catalogue.items(), comm.size());
  const auto first = blocks.begin(comm.rank());
  std::vector<std::int64_t> place(blocks.count(comm.rank()));
  for (std::int64_t p = 0; p < catalogue.items(); ++p) {
    const std::int64_t number = catalogue.number[p];
    if (number >= first && number < blocks.end(comm.rank())) place[number - first] = p;
  }
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < place.size(); ++i) {
    append_id(pieces[0], 'i', first + static_cast<std::int64_t>(i));
    pieces[0] += '\t' + std::to_string(segment_at(catalogue.segment_begin, place[i])) + '\n';
  }
  return pieces;
}

std::string toml_string(const std::string& path) {
  std::string text = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// Where users of a segment differ by chance alone, the leading eigenvectors nearly are the segments, and bpr finds from
// there what is left in a fraction of the time of softmax, which learns the chance too. Few steps, not to learn each
// user's noise by heart; epochs are of at most 64 steps of at least 2,048 triples (train.batch "auto").
std::int64_t epochs_for(std::int64_t interactions) {
  constexpr std::int64_t wanted_steps = 200;
  const auto steps = std::clamp<std::int64_t>((interactions + 2047) / 2048, 1, 64);
  return (wanted_steps + steps - 1) / steps;
}

std::string configuration(const PopulationOptions& options, const std::string& directory) {
  std::string text = "# Made by cohort generate --users " + std::to_string(options.users) + " --items " +
                     std::to_string(options.items) + " --interactions " + std::to_string(options.interactions) +
                     " --segments " + std::to_string(options.segments) + " --noise " + shortest(options.noise) +
                     (options.social > 0 ? " --social " + std::to_string(options.social) : "") + " --seed " +
                     std::to_string(options.seed) + "\n# How good the result is: cohort evaluate --result " +
                     "run/segments.h5 --truth truth.tsv\n\n[input]\ninteractions = \"interactions.tsv\"\n";
  if (options.social > 0) text += "social = \"social.tsv\"\n";
  text +=
      "\n[train]\nloss = \"bpr\"\nstart = \"spectral\"\nepochs = " + std::to_string(epochs_for(options.interactions)) +
      "\nlearning_rate = 0.005\ndecay = 0.02\n";
  text += "\n[segment]\ncount = " + std::to_string(options.segments) + "\n\n[output]\ndirectory = " +
          toml_string((std::filesystem::absolute(directory) / "run").lexically_normal().string()) + "\n";
  return text;
}

}  // namespace

void generate_population(const Communicator& comm, const PopulationOptions& options, const std::string& directory) {
  check_options(options);
  const UserRoll roll(options.users, options.segments, options.seed);
  check_social(options, roll);
  make_directory(comm, directory);
  const auto blocks = Distribution::even(options.users, comm.size());
  const auto first = blocks.begin(comm.rank());
  const auto last = blocks.end(comm.rank());

  std::vector<std::unique_ptr<TextFile>> files;
  const auto write = [&](const std::string& name, const std::string& head, std::vector<std::string> pieces) {
    if (comm.is_root()) pieces.insert(pieces.begin(), head);
    files.push_back(std::make_unique<TextFile>(comm, (std::filesystem::path(directory) / name).string()));
    files.back()->write(pieces);
  };
  {
    std::unique_ptr<const ItemCatalogue> catalogue;
    comm.attempt([&] {
      catalogue = std::make_unique<const ItemCatalogue>(make_catalogue(options.items, options.segments, options.seed));
    });
    std::vector<std::string> lines;
    const Activity activity(comm, options.users, options.items, options.interactions);
    comm.attempt(
        [&] { lines = interaction_lines(roll, *catalogue, activity, options.noise, options.seed, first, last); });
    write("interactions.tsv", "user\titem\n", std::move(lines));
    lines.clear();
    comm.attempt([&] { lines = item_truth_lines(comm, *catalogue); });
    write("item_truth.tsv", "item\tsegment\n", std::move(lines));
  }
  if (options.social > 0) {
    write("social.tsv", "source\ttarget\n", friendship_lines(comm, roll, options.social, options.noise, options.seed));
  }
  std::vector<std::string> lines;
  comm.attempt([&] { lines = truth_lines(roll, first, last); });
  write("truth.tsv", "user\tsegment\n", std::move(lines));
  write("config.toml", configuration(options, directory), {});
  for (auto& file : files) file->commit();
}

}  // namespace cohort
