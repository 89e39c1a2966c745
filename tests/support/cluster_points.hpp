// Points known whole on every rank, and what a rank holds of them when they stand in shards: what the tests of cluster/
// hand to the distributed code and compare with.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/kmeans.hpp"
#include "core/random.hpp"

namespace cohort::testing_support {

struct SmallPoints {
  std::string name;
  std::int64_t columns = 0;
  std::vector<std::vector<float>> row;
  std::vector<std::int32_t> planted;  // where there is a truth

  std::int64_t size() const { return std::ssize(row); }
};

inline double normal(std::uint64_t seed, std::int64_t a, std::int64_t b) {
  return CounterRandom(seed, Purpose::generate_users)
      .normal(static_cast<std::uint64_t>(a), static_cast<std::uint32_t>(b))[0];
}

/// Normal clouds of deviation `spread` around normal centres of deviation 1; point i in cloud i mod clouds.
inline SmallPoints blobs(std::int64_t points, std::int64_t clouds, std::int64_t columns, double spread,
                         double shift = 0) {
  SmallPoints result{"blobs " + std::to_string(columns), columns, {}, {}};
  for (std::int64_t i = 0; i < points; ++i) {
    auto& row = result.row.emplace_back();
    result.planted.push_back(static_cast<std::int32_t>(i % clouds));
    for (std::int64_t j = 0; j < columns; ++j) {
      row.push_back(static_cast<float>(shift + normal(1, i % clouds, j) + spread * normal(2, i, j)));
    }
  }
  return result;
}

/// Whole numbers, so that many points are equally far from two centres, and exactly so.
inline SmallPoints grid(std::int64_t side) {
  SmallPoints result{"grid", 2, {}, {}};
  for (std::int64_t i = 0; i < side * side; ++i) {
    const auto row = i / side;
    result.row.push_back({static_cast<float>(i % side), static_cast<float>(row)});
  }
  return result;
}

/// `copies` of each of the first `distinct` unit vectors, times 1, 2, ... if `scaled`.
inline SmallPoints copies(std::int64_t distinct, std::int64_t copies, std::int64_t columns, bool scaled = false) {
  SmallPoints result{"copies", columns, {}, {}};
  for (std::int64_t i = 0; i < distinct * copies; ++i) {
    result.row.emplace_back(static_cast<std::size_t>(columns), i % 2 == 0 ? 0.0F : -0.0F);
    const auto copy = 1 + i / distinct;
    result.row.back()[i % distinct] = scaled ? static_cast<float>(copy) : 1.0F;
    result.planted.push_back(static_cast<std::int32_t>(i % distinct));
  }
  return result;
}

/// The points of one rank: 7 shards, of which shard 2 is empty; NodeIds with gaps.
class ShardedPoints {
 public:
  ShardedPoints(const SmallPoints& points, int rank, const Distribution& shards_of_rank) {
    layout_.shards_of_rank = shards_of_rank;
    std::vector<std::int64_t> mine;
    for (auto shard = shards_of_rank.begin(rank); shard < shards_of_rank.end(rank); ++shard) {
      begin_.push_back(std::ssize(mine));
      for (std::int64_t i = 0; i < points.size(); ++i) {
        if (shard_of(i) == shard) mine.push_back(i);
      }
    }
    begin_.push_back(std::ssize(mine));
    rows_ = Matrix(std::ssize(mine), points.columns);
    for (std::size_t k = 0; k < mine.size(); ++k) {
      const auto& row = points.row[mine[k]];
      std::copy(row.begin(), row.end(), rows_.row(static_cast<std::int64_t>(k)));
      id_.emplace_back(id_of(mine[k]));
    }
    index_ = std::move(mine);
  }
  ShardedPoints(const ShardedPoints&) = delete;
  ShardedPoints& operator=(const ShardedPoints&) = delete;

  static constexpr std::int32_t shards = 7;
  static std::int64_t shard_of(std::int64_t point) {
    const auto shard = point * point % shards;  // 0, 1, 2, 4
    return shard == 2 ? 6 : shard;
  }
  static std::int64_t id_of(std::int64_t point) { return 3 * point + 5; }

  PointSet set() const { return {rows_.view(), id_, begin_, &layout_}; }
  /// Which of all points each row is.
  const std::vector<std::int64_t>& index() const { return index_; }

 private:
  ShardLayout layout_;
  Matrix rows_;
  std::vector<NodeId> id_;
  std::vector<std::int64_t> begin_;
  std::vector<std::int64_t> index_;
};

/// Even cuts, and all shards on the last rank.
inline std::vector<Distribution> cuts(const Communicator& comm) {
  std::vector<std::int64_t> last(comm.size() + 1, 0);
  last.back() = ShardedPoints::shards;
  return {Distribution::even(ShardedPoints::shards, comm.size()), Distribution(last)};
}

}  // namespace cohort::testing_support
