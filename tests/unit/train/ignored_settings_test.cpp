// Which keys of [train] nothing looks at, for every key, loss and encoder.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "train/choices.hpp"

namespace cohort {
namespace {

constexpr auto with_items = "[input]\ninteractions = \"a.tsv\"\n";
constexpr auto with_friends = "[input]\nsocial = \"a.tsv\"\n";

std::string ignored(const std::string& input, const std::vector<std::string>& settings) {
  return ignored_settings(parse_config(input, "c.toml", "/data", settings));
}

TEST(IgnoredSettings, NoneByDefault) {
  EXPECT_EQ(ignored(with_items, {}), "");
  EXPECT_EQ(ignored(with_friends, {}), "");
  EXPECT_EQ(ignored(with_friends, {"model.encoder=lightgcn"}), "");
  EXPECT_EQ(ignored(with_items, {"train.loss=bpr", "train.seed=7"}), "");
  EXPECT_EQ(ignored(with_friends, {"train.seed=7", "train.epochs=auto"}), "");
}

TEST(IgnoredSettings, AreThoseOfTheOtherLossAndAllWhereNothingIsTrained) {
  struct Key {
    std::string setting;
    bool bpr;
    bool softmax;
  };
  const std::vector<Key> keys{{"start=random", true, true},        {"epochs=3", true, true},
                              {"steps=30", false, true},           {"batch=64", true, true},
                              {"learning_rate=0.5", true, true},   {"temperature=0.3", false, true},
                              {"pair_weight=equal", false, true},  {"length_power=0.5", false, true},
                              {"decay=0.5", true, false},          {"checkpoint_every=1", true, true},
                              {"checkpoint_minutes=1", true, true}};
  std::vector<std::string> all;
  std::string names;
  for (const auto& key : keys) {
    const auto setting = "train." + key.setting;
    const auto name = setting.substr(0, setting.find('='));
    SCOPED_TRACE(setting);
    EXPECT_EQ(ignored(with_items, {"train.loss=bpr", setting}), key.bpr ? "" : name);
    EXPECT_EQ(ignored(with_items, {"train.loss=softmax", setting}), key.softmax ? "" : name);
    EXPECT_EQ(ignored(with_items, {setting}), key.softmax ? "" : name);
    EXPECT_EQ(ignored(with_friends, {setting}), name);
    EXPECT_EQ(ignored(with_friends, {"model.encoder=lightgcn", setting}), key.bpr ? "" : name);
    EXPECT_EQ(ignored(with_items, {"model.encoder=spectral", setting}), name);
    all.push_back(setting);
    names += (names.empty() ? "" : ", ") + name;
  }
  EXPECT_EQ(ignored(with_friends, all), names);
  EXPECT_EQ(ignored(with_items, {"train.loss=softmax", "train.sampler=lightgcn"}), "train.sampler");
  EXPECT_EQ(ignored(with_friends, {"train.minutes=1"}), "train.minutes");
}

}  // namespace
}  // namespace cohort
