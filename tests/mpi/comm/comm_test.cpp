// The communicator, the row exchange and the shard-ordered sum at any number of ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "comm/communicator.hpp"
#include "comm/row_exchange.hpp"
#include "comm/shard_sum.hpp"
#include "core/random.hpp"

namespace cohort {
namespace {

const Communicator& world() {
  static const Communicator comm = Communicator::world();
  return comm;
}

TEST(Communicator, ReductionsAndPrefixSums) {
  const auto& comm = world();
  const std::int64_t ranks = comm.size();
  EXPECT_EQ(comm.sum(std::int64_t{comm.rank() + 1}), ranks * (ranks + 1) / 2);
  EXPECT_EQ(comm.max(comm.rank()), comm.size() - 1);
  EXPECT_EQ(comm.min(2.5 + comm.rank()), 2.5);
  EXPECT_EQ(comm.exclusive_sum(10), 10 * comm.rank());
  EXPECT_EQ(comm.sum_on_machine(comm.rank() + 1), ranks * (ranks + 1) / 2);  // tests run on one machine
  EXPECT_TRUE(comm.any(comm.rank() == comm.size() - 1));
  EXPECT_FALSE(comm.any(false));
}

TEST(Communicator, SmallestElementByElement) {
  const auto& comm = world();
  std::vector<std::int64_t> values{comm.rank(), -comm.rank(), 7};
  comm.min_in_place(std::span<std::int64_t>(values));
  EXPECT_EQ(values, (std::vector<std::int64_t>{0, 1 - comm.size(), 7}));
}

TEST(Communicator, SelfIsThisRankAlone) {
  const auto alone = Communicator::self();
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(alone.rank(), 0);
  EXPECT_EQ(alone.sum(world().rank()), world().rank());
}

TEST(Communicator, AttemptGivesEveryRankTheLowestFailingRanksError) {
  const auto& comm = world();
  const int failing = comm.size() / 2;
  const auto run = [&] {
    comm.attempt([&] {
      if (comm.rank() >= failing) throw InputError("rank " + std::to_string(comm.rank()) + " says no");
    });
  };
  try {
    run();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()), "rank " + std::to_string(failing) + " says no");
  }
  EXPECT_THROW(comm.attempt([] { throw RunError("x"); }), RunError);
  EXPECT_THROW(comm.attempt([] { throw std::out_of_range("x"); }), InternalError);
  EXPECT_NO_THROW(comm.attempt([] {}));
}

TEST(Communicator, ExchangeDeliversByRank) {
  const auto& comm = world();
  // Rank r sends r * 100 + t, t + 1 times, to rank t.
  std::vector<std::int32_t> data;
  std::vector<std::int64_t> begin{0};
  for (int t = 0; t < comm.size(); ++t) {
    data.insert(data.end(), static_cast<std::size_t>(t) + 1, comm.rank() * 100 + t);
    begin.push_back(std::ssize(data));
  }
  const auto received = comm.exchange(std::span<const std::int32_t>(data), std::span<const std::int64_t>(begin));
  for (int r = 0; r < comm.size(); ++r) {
    const auto part = received.from(r);
    ASSERT_EQ(std::ssize(part), comm.rank() + 1);
    for (const auto value : part) EXPECT_EQ(value, r * 100 + comm.rank());
  }
}

TEST(Communicator, GatherScatterBroadcast) {
  const auto& comm = world();
  const std::vector<std::int64_t> mine(comm.rank(), comm.rank());
  const auto all = comm.all_gather(std::span<const std::int64_t>(mine));
  EXPECT_EQ(std::ssize(all.data), comm.size() * (comm.size() - 1) / 2);
  for (int r = 0; r < comm.size(); ++r) EXPECT_EQ(std::ssize(all.from(r)), r);
  const auto root = comm.gather(std::span<const std::int64_t>(mine));
  EXPECT_EQ(root.data, comm.is_root() ? all.data : std::vector<std::int64_t>{});
  EXPECT_EQ(comm.scatter(std::span<const std::int64_t>(root.data), std::span<const std::int64_t>(all.begin)), mine);
  EXPECT_EQ(comm.broadcast(comm.is_root() ? std::string("from the root") : std::string()), "from the root");
  std::vector<double> values;
  if (comm.is_root()) values = {1.5, 2.5};
  comm.broadcast(values);
  EXPECT_EQ(values, (std::vector<double>{1.5, 2.5}));
}

TEST(RowExchange, FetchesWantedRowsInOrder) {
  const auto& comm = world();
  for (const std::int64_t columns : {1, 10, 33, 64}) {
    const auto owners = Distribution::even(41, comm.size());
    Matrix source(owners.count(comm.rank()), columns);
    for (std::int64_t r = 0; r < source.rows(); ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        source.row(r)[c] = static_cast<float>(1000 * (owners.begin(comm.rank()) + r) + c);
      }
    }
    std::vector<Position> wanted;
    for (std::int64_t p = 0; p < owners.total(); p += 1 + comm.rank()) {
      if (owners.owner(p) == comm.rank()) continue;
      wanted.emplace_back(p);
      if (p % 3 == 0) wanted.emplace_back(p);
    }
    const auto plan = plan_fetch(comm, owners, wanted);
    EXPECT_EQ(plan.received_rows(), std::ssize(wanted));
    EXPECT_EQ(comm.sum(plan.sent_rows()), comm.sum(plan.received_rows()));
    Matrix destination(std::ssize(wanted), columns);
    RowExchange exchange(comm, columns);
    for (int repeat = 0; repeat < 2; ++repeat) {
      exchange.start(plan, source.view(), destination.row(0));
      exchange.progress();
      EXPECT_GE(exchange.finish(), 0.0);
    }
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      for (std::int64_t c = 0; c < columns; ++c) {
        EXPECT_EQ(destination.row(static_cast<std::int64_t>(k))[c], static_cast<float>(1000 * wanted[k].value + c));
      }
    }
  }
}

TEST(HaloMatrix, GhostRowsAreTheirOwnersRowsAfterEveryExchange) {
  const auto& comm = world();
  for (const auto reach : {HaloReach::machine, HaloReach::nobody}) {
    for (const std::int64_t columns : {1, 33, 64}) {
      for (const std::int64_t total : {3, 41, 1000}) {  // with 3, the fourth rank has no rows
        const auto owners = Distribution::even(total, comm.size());
        const auto first = owners.begin(comm.rank());
        const auto owned = owners.count(comm.rank());
        std::vector<Position> wanted;
        for (std::int64_t p = 0; p < total; p += 1 + comm.rank()) {
          if (owners.owner(p) != comm.rank()) wanted.emplace_back(p);
        }
        const HaloLayout layout(comm, plan_fetch(comm, owners, wanted), owned, columns, reach);
        ASSERT_EQ(layout.ghost_row().size(), wanted.size());
        EXPECT_EQ(comm.sum(layout.sent_rows()), comm.sum(std::ssize(wanted)));
        if (reach == HaloReach::nobody) {
          EXPECT_TRUE(layout.neighbours().empty());
          EXPECT_EQ(layout.messages().received_rows(), std::ssize(wanted));
        }
        HaloMatrix matrix(comm, layout);
        RowExchange exchange(comm, columns);
        const auto value = [&](std::int64_t round, std::int64_t position, std::int64_t column) {
          return static_cast<float>(round * 100'000 + 100 * position + column);
        };
        for (std::int64_t round = 1; round <= 4; ++round) {
          for (std::int64_t r = 0; r < owned; ++r) {
            for (std::int64_t c = 0; c < columns; ++c) matrix.row(r)[c] = value(round, first + r, c);
          }
          exchange.start(layout, matrix);
          exchange.progress();
          EXPECT_GE(exchange.finish(), 0.0);
          for (std::size_t k = 0; k < wanted.size(); ++k) {
            for (std::int64_t c = 0; c < columns; ++c) {
              ASSERT_EQ(matrix.row(layout.ghost_row()[k].value)[c], value(round, wanted[k].value, c))
                  << "round " << round << ", position " << wanted[k].value;
            }
          }
          exchange.meet(layout);  // the next round writes what neighbours have just read
          exchange.finish();
        }
        const auto row_bytes = padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
        EXPECT_EQ(exchange.bytes_sent(), 4 * layout.sent_rows() * row_bytes);
      }
    }
  }
}

TEST(ShardSum, HasTheSameBitsForEveryCutOfTheShards) {
  const auto& comm = world();
  const CounterRandom random(1, Purpose::quality_sample);
  for (const std::int32_t shards : {4, 16, 37, 64}) {
    for (const std::int64_t width : {1, 3, 1000}) {
      const auto partial = [&](std::int64_t s, std::int64_t c) {
        return std::exp(40 * random.uniform(static_cast<std::uint64_t>(s * 5000 + c)) - 20);
      };
      // The tree level by level, independent of the implementation.
      std::vector<double> expected;
      for (std::int64_t c = 0; c < width; ++c) {
        std::vector<double> level;
        for (std::int64_t s = 0; s < shards; ++s) level.push_back(partial(s, c));
        while (level.size() > 1) {
          std::vector<double> next;
          for (std::size_t i = 0; i < level.size(); i += 2) {
            next.push_back(i + 1 < level.size() ? level[i] + level[i + 1] : level[i]);
          }
          level = next;
        }
        expected.push_back(level.front());
      }
      // Even cuts, and the last rank holding all but one shard of each other.
      std::vector<std::int64_t> uneven;
      for (int r = 0; r < comm.size(); ++r) uneven.push_back(r);
      uneven.push_back(shards);
      for (const auto& cuts : {Distribution::even(shards, comm.size()), Distribution(uneven)}) {
        const ShardLayout layout{cuts, {}};
        std::vector<double> partials;
        for (std::int64_t s = cuts.begin(comm.rank()); s < cuts.end(comm.rank()); ++s) {
          for (std::int64_t c = 0; c < width; ++c) partials.push_back(partial(s, c));
        }
        EXPECT_EQ(shard_sum(comm, layout, partials, width), expected);
      }
    }
  }
}

}  // namespace
}  // namespace cohort
