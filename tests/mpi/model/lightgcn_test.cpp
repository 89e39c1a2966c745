// LightGCN's propagation and its backward pass against dense powers of the normalised adjacency in float64, and to the
// bit between ways to put the shards on ranks and threads.
#include "model/lightgcn.hpp"

#include <gtest/gtest.h>

#include "support/sharded_graphs.hpp"

namespace cohort {
namespace {

using testing_support::Dense;
using testing_support::SmallGraph;
using testing_support::Whole;

std::vector<SmallGraph> graphs() {
  using namespace testing_support;
  auto social = random_bipartite(30, 20, 150, 3);
  social.name = "bipartite with friends";
  for (std::int64_t user = 0; user + 5 < 30; user += 3) social.edge(user, user + 5, 2.0F);
  return {path(20), star(25), isolated(9), random_bipartite(40, 25, 160, 1), social};
}

double value_of(std::int64_t node, std::int64_t column, unsigned salt) {
  std::mt19937 random(static_cast<unsigned>(node * 1000 + column) * 7U + salt);
  random.discard(3);
  return static_cast<double>(static_cast<float>(random() % 2001) / 1000.0F - 1.0F);
}

Dense dense_values(std::int64_t nodes, std::int64_t columns, unsigned salt) {
  Dense result(nodes, columns);
  for (std::int64_t node = 0; node < nodes; ++node) {
    for (std::int64_t c = 0; c < columns; ++c) result.at(node, c) = value_of(node, c, salt);
  }
  return result;
}

/// The same values in a rank's owned rows; rows to be received hold what must be overwritten.
HaloMatrix owned_values(const Propagation& propagation, unsigned salt) {
  const auto& graph = propagation.graph();
  const std::int64_t columns = propagation.columns();
  auto result = propagation.matrix();
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    const auto node = graph.node[row].value;
    for (std::int64_t c = 0; c < columns; ++c) result.row(row)[c] = static_cast<float>(value_of(node, c, salt));
  }
  const auto received = propagation.halo().messages().received_rows();
  std::fill_n(result.row(propagation.halo().first_received()), received * result.stride(), -77.0F);
  return result;
}

void expect_near(const Whole& found, const Dense& expected) {
  ASSERT_EQ(found.values.size(), expected.values.size());
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(found.values[i]), expected.values[i], 3e-6) << "at " << i;
  }
}

/// The owned rows, as a selection, whose node says yes.
struct Chosen {
  template <class Choose>
  Chosen(const Communicator& comm, const ShardGraph& graph, Choose choose) {
    const auto pick = [&](const auto& list, const auto& cuts, auto& rows, auto& begin) {
      for (std::size_t s = 0; s + 1 < cuts.size(); ++s) {
        for (auto i = cuts[s]; i < cuts[s + 1]; ++i) {
          const LocalRow row = list[i];
          if (choose(graph.node[row.value].value)) rows.push_back(row);
        }
        begin.push_back(std::ssize(rows));
      }
    };
    pick(graph.interior, graph.interior_begin, interior, interior_begin);
    pick(graph.boundary, graph.boundary_begin, boundary, boundary_begin);
    std::vector<Position> wanted;
    for (std::int64_t row = graph.owned(); row < graph.local_rows(); ++row) {
      if (!choose(graph.node[row].value)) continue;
      ghost.emplace_back(static_cast<std::int32_t>(row));
      wanted.push_back(graph.ghost[row - graph.owned()]);
    }
    // Source rows of the halo are places in the selection.
    halo = plan_fetch(comm, graph.positions, wanted);
    for (auto& row : halo.send_rows) {
      auto all = interior;
      all.insert(all.end(), boundary.begin(), boundary.end());
      const auto place = std::ranges::find(all, LocalRow{row}) - all.begin();
      EXPECT_LT(place, std::ssize(all)) << "a row that is not chosen is asked for";
      row = static_cast<std::int32_t>(place);
    }
  }
  RowSelection rows() const { return {interior, interior_begin, boundary, boundary_begin}; }

  std::vector<LocalRow> interior;
  std::vector<LocalRow> boundary;
  std::vector<std::int64_t> interior_begin{0};
  std::vector<std::int64_t> boundary_begin{0};
  std::vector<LocalRow> ghost;
  ExchangePlan halo;
};

/// Calls check(small, layers, propagation, first), with ghosts read where they lie and received, where
/// `first` says that the small graph is new.
template <class Check>
void for_each_case(const Communicator& comm, Check check) {
  struct Shape {
    std::int64_t layers;
    std::int64_t columns;
  };
  std::size_t number = 0;
  for (const auto& small : graphs()) {
    for (const auto& shape : {Shape{0, 10}, Shape{1, 33}, Shape{2, 10}, Shape{3, 64}, Shape{4, 33}}) {
      if (number++ % 2 == 1) continue;  // every graph and every shape, not all of their pairs
      bool first = true;
      for (const auto& cuts : testing_support::all_cuts(comm)) {
        SCOPED_TRACE(small.name + ", layers " + std::to_string(shape.layers));
        const auto sharded = testing_support::shard(comm, small.block(comm), cuts);
        for (const auto reach : {HaloReach::machine, HaloReach::nobody}) {
          Propagation propagation(comm, sharded.graph, shape.columns, first ? 1 : 2, reach);
          check(small, shape.layers, propagation, first);
          first = false;
        }
      }
    }
  }
}

TEST(LightGcn, ForwardIsTheMeanOfTheLayers) {
  const auto comm = Communicator::world();
  std::int64_t ghosts = 0;
  Whole expected;
  for_each_case(comm, [&](const SmallGraph& small, std::int64_t layers, Propagation& propagation, bool first) {
    const auto& graph = propagation.graph();
    const std::int64_t columns = propagation.columns();
    ghosts += std::ssize(graph.ghost);
    LightGcn gcn(comm, propagation, layers);
    auto base = owned_values(propagation, 1);
    const auto all = gcn.forward(base);
    const auto found = testing_support::gather(comm, graph, all);
    if (first) {
      expect_near(found, testing_support::mean_of_layers(small, dense_values(small.nodes, columns, 1), layers));
      expected = found;
    } else {
      EXPECT_EQ(found, expected) << "bits differ between cuts";
    }
    // Some rows alone have the bits that they have among all.
    const Chosen chosen(comm, graph, [](std::int64_t node) { return node % 3 == 1; });
    Matrix some(chosen.rows().size() + 1, columns);
    gcn.forward(base, chosen.rows(), some.view());
    std::int64_t place = 0;
    for (const auto* list : {&chosen.interior, &chosen.boundary}) {
      for (const LocalRow row : *list) {
        const auto node = graph.node[row.value].value;
        for (std::int64_t c = 0; c < columns; ++c) ASSERT_EQ(some.row(place)[c], expected.at(node, c));
        ++place;
      }
    }
    for (std::int64_t c = 0; c < columns; ++c) ASSERT_EQ(some.row(place)[c], 0.0F) << "wrote beyond the selection";
  });
  EXPECT_EQ(comm.any(ghosts > 0), comm.size() > 1);
}

TEST(LightGcn, BackwardIsTheTransposeOfForward) {
  const auto comm = Communicator::world();
  Whole expected;
  for_each_case(comm, [&](const SmallGraph& small, std::int64_t layers, Propagation& propagation, bool first) {
    const auto& graph = propagation.graph();
    const std::int64_t columns = propagation.columns();
    LightGcn gcn(comm, propagation, layers);
    const auto chosen_node = [](std::int64_t node) { return node % 4 != 2; };
    const Chosen chosen(comm, graph, chosen_node);
    // Twice with one encoder: what the first gradient left must not show in the second.
    for (const unsigned salt : {5U, 2U}) {
      Matrix value(chosen.rows().size() + std::ssize(chosen.ghost), columns);
      std::int64_t place = 0;
      for (const auto* list : {&chosen.interior, &chosen.boundary}) {
        for (const LocalRow row : *list) {
          const auto node = graph.node[row.value].value;
          for (std::int64_t c = 0; c < columns; ++c) {
            value.row(place)[c] = static_cast<float>(value_of(node, c, salt));
          }
          ++place;
        }
      }
      Matrix gradient(graph.owned(), columns);
      std::vector<int> calls(graph.owned(), 0);
      gcn.backward({chosen.rows(), chosen.ghost, &chosen.halo, value.view()},
                   [&](std::span<const LocalRow> rows, MatrixView block) {
                     for (std::size_t i = 0; i < rows.size(); ++i) {
                       ++calls[rows[i].value];
                       std::copy_n(block.row(static_cast<std::int64_t>(i)), columns, gradient.row(rows[i].value));
                     }
                   });
      for (const int count : calls) ASSERT_EQ(count, 1);
      if (salt != 2U) continue;
      const auto found = testing_support::gather(comm, graph, gradient.view());
      if (!first) {
        EXPECT_EQ(found, expected) << "bits differ between cuts";
        continue;
      }
      expected = found;
      auto dense = dense_values(small.nodes, columns, salt);
      for (std::int64_t node = 0; node < small.nodes; ++node) {
        for (std::int64_t c = 0; c < columns && !chosen_node(node); ++c) dense.at(node, c) = 0;
      }
      expect_near(found, testing_support::mean_of_layers(small, dense, layers));
      // <g, F(x)> = <B(g), x>, with F as it was found.
      auto base = owned_values(propagation, 1);
      const auto forward = testing_support::gather(comm, graph, gcn.forward(base));
      double left = 0;
      double right = 0;
      for (std::int64_t node = 0; node < small.nodes; ++node) {
        for (std::int64_t c = 0; c < columns; ++c) {
          left += dense.at(node, c) * static_cast<double>(forward.at(node, c));
          right += static_cast<double>(found.at(node, c)) * value_of(node, c, 1);
        }
      }
      EXPECT_NEAR(left, right, 1e-4);
    }
  });
}

TEST(LightGcn, CountsWhatItSends) {
  const auto comm = Communicator::world();
  const auto small = testing_support::circle(40);
  const auto sharded = testing_support::shard(comm, small.block(comm), Distribution::even(7, comm.size()));
  Propagation propagation(comm, sharded.graph, 33, 1);
  LightGcn gcn(comm, propagation, 3);
  auto base = owned_values(propagation, 1);
  gcn.forward(base);
  EXPECT_EQ(propagation.bytes_sent(), 3 * sharded.graph.halo.sent_rows() * 48 * 4);
  EXPECT_GE(propagation.waiting_seconds(), 0.0);
}

}  // namespace
}  // namespace cohort
