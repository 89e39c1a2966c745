// Whether what ranks need together is held against what their machine has left, and what is said where it is not there.
#include "comm/machine_memory.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/error.hpp"
#include "core/memory.hpp"

namespace cohort {
namespace {

TEST(MachineMemory, WhatIsThereIsNoMatter) {
  const auto comm = Communicator::world();
  EXPECT_NO_THROW(need_memory(comm, "nothing", 0, "less"));
}

TEST(MachineMemory, RanksOfAMachineNeedItTogether) {
  const auto comm = Communicator::world();
  // Each alone would fit with room to spare where there are three.
  const auto each = comm.min(available_memory_bytes()) / comm.size() * 5 / 4;
  try {
    need_memory(comm, "segment", each, "a smaller model.dim");
    FAIL() << "a quarter more than there is was found";
  } catch (const RunError& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find("segment needs about "), 0U) << text;
    EXPECT_NE(text.find("a smaller model.dim"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(comm.size()) + " a machine"), std::string::npos) << text;
  }
}

TEST(MachineMemory, TheLargestPartSaysWhatHelps) {
  const auto comm = Communicator::world();
  const auto all = comm.min(available_memory_bytes());
  MemoryParts parts;
  parts.add(all / 2, "fewer lists").add(MemoryNeed{all, 7}, "fewer columns").add(0, "nothing");
  EXPECT_EQ(parts.bytes(), all / 2 + all);
  EXPECT_EQ(parts.need().seen_bytes, 7);
  EXPECT_EQ(parts.remedy(), "fewer columns");
  EXPECT_EQ(larger(MemoryParts().add(all, "one"), parts).remedy(), "fewer columns");
  EXPECT_EQ(larger(MemoryParts().add(2 * all, "one"), parts).remedy(), "one");
  try {
    need_memory(comm, "recommend", parts);
    FAIL() << "half more than there is was found";
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find("or fewer columns"), std::string::npos) << error.what();
  }
}

TEST(MachineMemory, OneRankThatNeedsMostEndsAll) {
  const auto comm = Communicator::world();
  const auto bytes = comm.rank() == comm.size() - 1 ? std::numeric_limits<std::int64_t>::max() / 2 : 0;
  EXPECT_THROW(need_memory(comm, "train", bytes, "less"), RunError);
}

TEST(MachineMemory, TheLargerIsOfWhatIsResident) {
  MemoryNeed own{100, 0};
  const MemoryNeed seen{50, 60};
  EXPECT_EQ(larger(own, seen).resident(), 110);
  own += seen;
  EXPECT_EQ(own.bytes, 150);
  EXPECT_EQ(own.seen_bytes, 60);
}

}  // namespace
}  // namespace cohort
