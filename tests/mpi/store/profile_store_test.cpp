// Profiles in segments.h5: read back as written, absent where there are none, refused where they do not fit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.hpp"
#include "store/schema.hpp"
#include "store/segments_file.hpp"

namespace cohort {
namespace {

class ProfileStore : public testing::Test {
 protected:
  void SetUp() override {
    const auto name = "cohort-profile-" + std::to_string(::getpid()) + ".h5";
    path_ = comm_.broadcast((std::filesystem::temp_directory_path() / name).string());
  }
  void TearDown() override {
    comm_.barrier();
    if (comm_.is_root()) std::filesystem::remove(path_);
  }
  SegmentsFile two_segments() const {
    SegmentsFile file;
    file.users.distribution = Distribution::even(3, comm_.size());
    file.items.distribution = Distribution::even(8, comm_.size());
    for (auto i = file.items.distribution.begin(comm_.rank()); i < file.items.distribution.end(comm_.rank()); ++i) {
      file.items.push_back(std::to_string(i));
    }
    auto& segments = file.segments;
    for (std::int64_t u = 0; u < file.users.distribution.count(comm_.rank()); ++u) {
      file.users.push_back(std::to_string(file.users.distribution.begin(comm_.rank()) + u));
      segments.segment.push_back(0);
      segments.distance.push_back(0);
      segments.margin.push_back(0);
      segments.map.insert(segments.map.end(), {0, 0});
    }
    segments.users = Matrix(file.users.block_size(), 2);
    segments.items = Matrix(file.items.block_size(), 2);
    segments.centroid = Matrix(2, 2);
    segments.size = {3, 0};
    return file;
  }
  Communicator comm_ = Communicator::world();
  std::string path_;
};

Profiles some_profiles() {
  Profiles profiles;
  profiles.interactions = {4, 0};
  profiles.distinct_items = {2, 0};
  profiles.mean_interactions = {4.0 / 3, 0};
  profiles.median_interactions = {1, std::numeric_limits<double>::quiet_NaN()};
  profiles.social_inside = {0.5, 0};
  profiles.social_outside = {0.25, 0};
  profiles.nearest = {{0, 1, 2}, {1, 0}, {0.5, 0.5}};
  profiles.representative = {{0, 2, 2}, {2, 0}, {0, 1.5}};
  profiles.border.row_begin = {0, 0, 0};
  auto& items = profiles.items;
  items.row_begin = {0, 2, 2};
  items.item = {7, 3};
  items.name = {"The \xC3\x9C", ""};
  items.count = {2, 1};
  items.population = {2, 1};
  items.share = items.population_share = {0.5, 0.25};
  items.lift = {2, 1.5};
  items.held_out = {1, 0};
  items.held_out_total = {1, 1};
  items.expected = {0.5, 0.75};
  items.p_value = {0.01, 1};
  items.marking = {1, 0};
  profiles.categories.row_begin = profiles.user_categories.row_begin = {0, 0, 0};
  profiles.numeric = {{"age"}, {30}, {5}, {3, 0}, {30, 0}, {0, 0}};
  profiles.description = {"3 users", "nobody"};
  profiles.tested = {2, 0};
  profiles.false_discovery_rate = {0.05};
  profiles.activity_share = {0.125};
  return profiles;
}

TEST_F(ProfileStore, IsReadBackAsWritten) {
  auto file = two_segments();
  write_segments_file(comm_, path_, file);
  EXPECT_FALSE(read_segments_file(comm_, path_).profiles);

  file.profiles = some_profiles();
  write_segments_file(comm_, path_, file);
  const auto found = read_segments_file(comm_, path_).profiles;
  ASSERT_TRUE(found);
  const auto expected = some_profiles();
  EXPECT_EQ(found->interactions, expected.interactions);
  EXPECT_EQ(found->mean_interactions, expected.mean_interactions);
  EXPECT_TRUE(std::isnan(found->median_interactions[1]));
  EXPECT_TRUE(found->first_time.empty());
  EXPECT_EQ(found->social_outside, expected.social_outside);
  EXPECT_EQ(found->nearest.row_begin, expected.nearest.row_begin);
  EXPECT_EQ(found->nearest.id, expected.nearest.id);
  EXPECT_EQ(found->representative.value, expected.representative.value);
  EXPECT_EQ(found->border.row_begin, expected.border.row_begin);
  EXPECT_EQ(found->items.item, expected.items.item);
  EXPECT_EQ(found->items.name, expected.items.name);
  EXPECT_EQ(found->items.p_value, expected.items.p_value);
  EXPECT_EQ(found->items.marking, expected.items.marking);
  EXPECT_EQ(found->categories.rows(), 0);
  EXPECT_EQ(found->numeric.name, expected.numeric.name);
  EXPECT_EQ(found->numeric.users, expected.numeric.users);
  EXPECT_EQ(found->description, expected.description);
  EXPECT_EQ(found->tested, expected.tested);
}

TEST_F(ProfileStore, TablesThatDoNotFitAreRefused) {
  const std::vector<void (*)(Profiles&)> damages{
      [](Profiles& profiles) { profiles.description.pop_back(); },
      [](Profiles& profiles) { profiles.items.marking.push_back(0); },
      [](Profiles& profiles) { profiles.items.item[0] = 8; },
      [](Profiles& profiles) { profiles.representative.id[0] = 3; },
      [](Profiles& profiles) { profiles.nearest.id[1] = -1; },
  };
  for (const auto damage : damages) {
    auto file = two_segments();
    file.profiles = some_profiles();
    damage(*file.profiles);
    write_segments_file(comm_, path_, file);
    std::string message;
    try {
      read_segments_file(comm_, path_);
    } catch (const InputError& error) {
      message = error.what();
    }
    EXPECT_TRUE(message.find("/segments/profile do not fit its 2 segments") != std::string::npos ||
                message.find("that the file does not have") != std::string::npos)
        << message;
  }
}

}  // namespace
}  // namespace cohort
