// Which datasets of two files differ, at any number of ranks.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "comm/distribution.hpp"
#include "store/h5.hpp"

namespace cohort {
namespace {

const Communicator& world() {
  static const Communicator comm = Communicator::world();
  return comm;
}

class Differences : public testing::Test {
 protected:
  Differences() {
    const auto name = "cohort-differences-" + std::to_string(::getpid());
    directory_ = world().broadcast((std::filesystem::temp_directory_path() / name).string());
    if (world().is_root()) std::filesystem::create_directories(directory_);
    world().barrier();
  }
  ~Differences() override {
    world().barrier();
    if (world().is_root()) std::filesystem::remove_all(directory_);
  }

  struct Content {
    std::vector<std::int64_t> numbers{1, 2, 3, 4, 5, 6, 7};
    std::vector<std::string> texts{"a", "bc", ""};
    float cell = 0.25F;      // one value of a matrix
    double seconds = 1;      // history/timing/x
    std::int64_t alike = 4;  // history/timing_alike, which only starts like the group
    std::string extra;       // a dataset of this name
  };

  std::string write(const std::string& name, const Content& content) {
    auto path = directory_ + "/" + name;
    h5::Writer file(world(), path);
    const auto blocks = Distribution::even(std::ssize(content.numbers), world().size());
    const std::span<const std::int64_t> numbers(content.numbers);
    file.rows("numbers", numbers.subspan(blocks.begin(world().rank()), blocks.count(world().rank())));
    file.strings("texts", world().is_root() ? std::ssize(content.texts) : 0,
                 [&](std::int64_t i) -> std::string_view { return content.texts[i]; });
    Matrix matrix(5, 10);
    matrix.row(4)[9] = content.cell;
    file.shared("group/matrix", matrix.view());
    file.shared("history/timing/x", std::span<const double>(&content.seconds, 1));
    file.shared("history/timing_alike", std::span<const std::int64_t>(&content.alike, 1));
    if (!content.extra.empty()) file.shared(content.extra, std::span<const std::int64_t>(numbers));
    file.commit();
    return path;
  }

  h5::Differences compare(const std::string& first, const std::string& second) const {
    return h5::compare_datasets(world(), h5::Reader(world(), first), h5::Reader(world(), second), {"history/timing"});
  }

  using Names = std::vector<std::string>;
  std::string directory_;
};

TEST_F(Differences, EveryKindOfDataset) {
  const auto original = write("a.h5", {});
  Content other;
  other.seconds = 2;
  const auto same = compare(original, write("b.h5", other));
  EXPECT_EQ(same.differ, Names{});
  EXPECT_EQ(same.same, 4) << "history/timing is not looked at";

  // One value of each, the last one of the numbers and of the matrix.
  other.numbers[6] = 8;
  other.texts[2] = "x";
  other.cell = -0.25F;
  other.alike = 5;
  EXPECT_EQ(compare(original, write("c.h5", other)).differ,
            (Names{"group/matrix", "history/timing_alike", "numbers", "texts"}));

  // Fewer rows, and strings of another length.
  other = {};
  other.numbers = {1, 2, 3};
  other.texts = {"a", "b", ""};
  other.extra = "group/more";
  const auto shapes = write("d.h5", other);
  EXPECT_EQ(compare(original, shapes).differ, (Names{"numbers", "texts"}));
  EXPECT_EQ(compare(original, shapes).only_second, Names{"group/more"});
  EXPECT_EQ(compare(shapes, original).only_first, Names{"group/more"});
  EXPECT_EQ(compare(shapes, original).same, 2);
}

}  // namespace
}  // namespace cohort
