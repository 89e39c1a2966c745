// Which call is reported where threads begin and end calls in any order.
#include "core/file_call.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace cohort {
namespace {

TEST(FileCall, TheNewestThatLivesIsReportedInWhateverOrderTheyEnd) {
  const std::string file = "file";
  const auto reported = [] {
    const auto call = CallUnderWay::now();
    return call ? call->call : "none";
  };
  auto first = std::make_unique<FileCall>("first", file);
  auto second = std::make_unique<FileCall>("second", file);
  auto third = std::make_unique<FileCall>("third", file);
  EXPECT_EQ(reported(), "third");
  second.reset();
  EXPECT_EQ(reported(), "third");
  third.reset();
  EXPECT_EQ(reported(), "first");
  second = std::make_unique<FileCall>("again", file);
  first.reset();
  EXPECT_EQ(reported(), "again");
  second.reset();
  EXPECT_EQ(reported(), "none");
}

TEST(FileCall, ThreadsDoNotDisturbEachOther) {
  const std::string file = "file";
  const FileCall lasting("lasting", file);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&file] {
      for (int i = 0; i < 20'000; ++i) {
        const FileCall call("passing", file);
        ASSERT_TRUE(CallUnderWay::now().has_value());
      }
    });
  }
  threads.clear();
  const auto left = CallUnderWay::now();
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(left->call, "lasting");
}

}  // namespace
}  // namespace cohort
