// What the tests of store/ share: a directory that all ranks see, and contents that are formulas of global numbers.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "store/provenance.hpp"

namespace cohort::testing_support {

namespace fs = std::filesystem;

class Store : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = comm_.broadcast((fs::temp_directory_path() / ("cohort-store-" + std::to_string(::getpid()))).string());
    if (comm_.is_root()) fs::create_directories(directory_);
    comm_.barrier();
  }
  void TearDown() override {
    comm_.barrier();
    if (comm_.is_root()) fs::remove_all(directory_);
    comm_.barrier();
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  template <class Error>
  std::string message(const std::function<void()>& action) const {
    std::string text = "no error";
    try {
      action();
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_EQ(comm_.broadcast(text), text) << "the same error on all ranks";
    return text;
  }
  /// Rank 0 writes; all may read afterwards.
  void write_bytes(const std::string& name, const std::string& bytes) const {
    if (comm_.is_root()) std::ofstream(path(name), std::ios::binary) << bytes;
    comm_.barrier();
  }

  Communicator comm_ = Communicator::world();
  std::string directory_;
};

inline constexpr std::int64_t users = 37;
inline constexpr std::int64_t items = 11;

// Ascending by length, then by bytes, as the dictionary has them; the last one is as long as ids may be.
inline std::string id_of(std::int64_t number) {
  return number == users - 1 ? std::string(1024, 'x') : "id \xC3\xBC " + std::to_string(number);
}

inline IdTable some_ids(const Communicator& comm, std::int64_t total, std::int64_t offset) {
  IdTable ids;
  ids.distribution = Distribution::even(total, comm.size());
  for (auto i = ids.distribution.begin(comm.rank()); i < ids.distribution.end(comm.rank()); ++i) {
    ids.push_back(id_of(offset + i));
  }
  return ids;
}

// User u has u mod 4 pairs.
inline PairTable some_pairs(const Communicator& comm, bool times, std::int64_t others) {
  const auto blocks = Distribution::even(users, comm.size());
  PairTable pairs;
  for (auto u = blocks.begin(comm.rank()); u < blocks.end(comm.rank()); ++u) {
    for (std::int64_t k = 0; k < u % 4; ++k) {
      pairs.other.push_back(u % (others - 9) + 3 * k);
      pairs.weight.push_back(static_cast<float>(u) + 0.5F * static_cast<float>(k));
      if (times) pairs.time.push_back(1e9 + static_cast<double>(u));
    }
    pairs.row_begin.push_back(pairs.size());
  }
  return pairs;
}

inline Dataset some_dataset(const Communicator& comm) {
  Dataset dataset;
  dataset.users = some_ids(comm, users, 0);
  dataset.items = some_ids(comm, items, 1000);
  dataset.interactions = some_pairs(comm, true, items);
  dataset.holdout = some_pairs(comm, false, items);
  if (!dataset.holdout.other.empty()) dataset.holdout.other.front() = -1;
  dataset.social = some_pairs(comm, false, users);
  return dataset;
}

inline Provenance some_provenance(const Communicator& comm) {
  Provenance provenance{"9.9.9", "abc", "threads = 1\n", 7, comm.size(), 2, "AVX3", {}, {}};
  provenance.inputs = {{"/a/b c", 12, std::string(64, 'f')}, {"ü", 0, ""}};
  return provenance;
}

inline Matrix some_matrix(std::int64_t first, std::int64_t rows, std::int64_t columns) {
  Matrix matrix(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      matrix.row(i)[j] = std::sin(static_cast<float>((first + i) * columns + j));
    }
  }
  return matrix;
}

inline void expect_same(ConstMatrixView a, ConstMatrixView b) {
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.columns, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.stride; ++j) ASSERT_EQ(a.row(i)[j], b.row(i)[j]) << i << ", " << j;
  }
}

inline void expect_same(const PairTable& a, const PairTable& b) {
  EXPECT_EQ(a.row_begin, b.row_begin);
  EXPECT_EQ(a.other, b.other);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.time, b.time);
}

inline void expect_same(const IdTable& a, const IdTable& b) {
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.begin, b.begin);
  EXPECT_EQ(a.total(), b.total());
}

}  // namespace cohort::testing_support
