// How long things take and will still take, in words.
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "cli/output/logging.hpp"
#include "cli/output/work_progress.hpp"
#include "core/work_done.hpp"

namespace cohort {
namespace {

TEST(Progress, TimesHaveTwoFigures) {
  EXPECT_EQ(in_time(-1), "0 s");
  EXPECT_EQ(in_time(0.2), "1 s");
  EXPECT_EQ(in_time(119), "119 s");
  EXPECT_EQ(in_time(150), "3 min");
  EXPECT_EQ(in_time(7199), "2 h 0 min");
  EXPECT_EQ(in_time(3600 * 26 + 60 * 10), "26 h 10 min");
}

TEST(Progress, WhatIsLeftTakesAsLongAsWhatIsDone) {
  EXPECT_EQ(work_text("recommend", 30, 1, 4), "recommend: 25 % of the lists, 90 s left");
  EXPECT_EQ(work_text("evaluate", 600, 600, 1000), "evaluate: 60 % of the lists, 7 min left");
}

TEST(Progress, ListenersHearWhatLoopsSay) {
  static std::vector<std::pair<std::int64_t, std::int64_t>> heard;
  note_work(1, 2);  // nobody listens
  const auto before = listen_to_work([](std::int64_t done, std::int64_t total) { heard.emplace_back(done, total); });
  EXPECT_EQ(before, nullptr);
  note_work(0, 7);
  note_work(3, 7);
  EXPECT_NE(listen_to_work(nullptr), nullptr);
  note_work(4, 7);
  EXPECT_EQ(heard, (std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 7}, {3, 7}}));
}

}  // namespace
}  // namespace cohort
