#include "model/node_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "comm/shard_sum.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "data/pair_table.hpp"

namespace cohort {

namespace {

// The tables of users or of items, and where their columns stand among all.
struct Kind {
  const std::vector<ScaledTable>* tables;
  const Distribution* blocks;
  std::int64_t first_node;
  std::vector<std::int64_t> first_column;  // by table
};

// What the owned rows of one table show of how it is scaled.
class ScaleFit {
 public:
  ScaleFit(const Communicator& comm, const ShardGraph& graph, const ShardSum& shard_sum,
           const std::vector<FeatureRow>& rows, int threads)
      : comm_(comm), graph_(graph), shard_sum_(shard_sum), rows_(rows), threads_(threads) {}

  // Collective.
  FeatureScale fit(const ScaledTable& table) const {
    FeatureScale scale{table.scaling, table.table->dense, {}, {}};
    if (table.scaling == FeatureScaling::columns) by_columns(table.table->columns, scale);
    return scale;
  }

 private:
  // Sums over the rows that are there, by column and once more for their number; add(row, sums) adds a row.
  template <class Add>
  std::vector<double> sums(std::int64_t columns, Add add) const {
    const auto first_row = [&](std::int64_t shard) {
      return graph_.shard_first_row(comm_.rank(), static_cast<std::int32_t>(shard));
    };
    return shard_sum_.fold(columns + 1, threads_, [&](std::int64_t shard, std::span<double> sum) {
      for (auto row = first_row(shard); row < first_row(shard + 1); ++row) {
        const auto& entries = rows_[row];
        if (entries.empty()) continue;
        sum.back() += 1;
        add(entries, sum);
      }
    });
  }

  void by_columns(std::int64_t columns, FeatureScale& scale) const {
    auto mean = sums(columns, [](const FeatureRow& row, std::span<double> sum) {
      for (const auto& [column, value] : row) sum[column] += static_cast<double>(value);
    });
    const double nodes = mean.back();
    if (nodes == 0) return;
    mean.pop_back();
    for (auto& value : mean) value /= nodes;
    // Of the entries that are there; the zeros that are not add mean^2 each.
    const auto squares = sums(columns, [&](const FeatureRow& row, std::span<double> sum) {
      for (const auto& [column, value] : row) {
        const auto c = static_cast<std::size_t>(column);
        const double off = static_cast<double>(value) - mean[c];
        sum[c] += off * off - mean[c] * mean[c];
      }
    });
    scale.inverse.assign(mean.size(), 0.0);
    for (std::size_t c = 0; c < mean.size(); ++c) {
      const double variance = squares[c] / nodes + mean[c] * mean[c];
      // What is left of a constant column is rounding.
      if (variance > 1e-12 * mean[c] * mean[c]) scale.inverse[c] = 1 / std::sqrt(variance);
    }
    scale.mean = std::move(mean);
  }

  const Communicator& comm_;
  const ShardGraph& graph_;
  const ShardSum& shard_sum_;
  const std::vector<FeatureRow>& rows_;
  int threads_;
};

// The entries of a table at the owners of its nodes, by owned row. Collective.
std::vector<FeatureRow> at_owners(const Communicator& comm, const ShardedGraph& graph, const Kind& kind,
                                  const FeatureTable& table) {
  std::vector<NodeId> nodes;
  RawPairs pairs;
  comm.attempt([&] {
    for (std::int64_t row = 0; row < table.rows.rows(); ++row) {
      if (!table.rows.row(row).empty()) nodes.emplace_back(kind.first_node + kind.blocks->begin(comm.rank()) + row);
    }
  });
  const auto positions = graph.directory.lookup(comm, nodes);
  comm.attempt([&] {
    std::size_t next = 0;
    for (std::int64_t row = 0; row < table.rows.rows(); ++row) {
      const auto count = table.rows.row(row).size();
      if (count > 0) pairs.row.insert(pairs.row.end(), count, positions[next++].value);
    }
    pairs.other.assign(table.rows.other.begin(), table.rows.other.end());
    pairs.weight.assign(table.rows.weight.begin(), table.rows.weight.end());
  });
  const auto owned = make_pair_table(comm, graph.graph.positions, std::move(pairs)).table;
  std::vector<FeatureRow> rows;
  comm.attempt([&] {
    rows.resize(owned.rows());
    std::size_t at = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (const auto end = static_cast<std::size_t>(owned.row_begin[row + 1]); at < end; ++at) {
        rows[row].emplace_back(static_cast<std::int32_t>(owned.other[at]), owned.weight[at]);
      }
    }
  });
  return rows;
}

}  // namespace

NodeFeatures node_features(const Communicator& comm, const ShardedGraph& sharded, const Distribution& users,
                           const std::vector<ScaledTable>& user_tables, const Distribution& items,
                           const std::vector<ScaledTable>& item_tables, int threads) {
  NodeFeatures result;
  if (user_tables.empty() && item_tables.empty()) return result;
  const auto& graph = sharded.graph;
  const ShardSum shard_sum(comm, graph.layout);
  Kind kinds[] = {{&user_tables, &users, 0, {}}, {&item_tables, &items, graph.users, {}}};
  for (auto& kind : kinds) {
    for (const auto& table : *kind.tables) {
      kind.first_column.push_back(result.columns);
      result.columns += table.table->columns;
    }
  }
  const auto stand_ins = static_cast<std::int64_t>(user_tables.size() + item_tables.size()) + 2;
  if (result.columns > std::numeric_limits<std::int32_t>::max() - stand_ins) {
    throw InputError("the files of features have " + std::to_string(result.columns) +
                     " columns together; at most 2^31 - 3 can be read");
  }
  std::vector<FeatureRow> all;
  comm.attempt([&] { all.resize(graph.owned()); });
  // One for what a node of the kind lacks, where any does.
  const auto stand_in = [&](int kind, auto lacks) -> std::int64_t {
    bool any = false;
    const auto of_kind = [&](std::size_t row) { return (graph.node[row].value < graph.users) == (kind == 0); };
    for (std::size_t row = 0; row < all.size(); ++row) any = any || (of_kind(row) && lacks(row));
    if (!comm.any(any)) return -1;
    const auto column = static_cast<std::int32_t>(result.columns + result.stand_ins++);
    for (std::size_t row = 0; row < all.size(); ++row) {
      if (of_kind(row) && lacks(row)) all[row].emplace_back(column, 1.0F);
    }
    return column;
  };
  for (int k = 0; k < 2; ++k) {
    const auto& kind = kinds[k];
    if (kind.tables->empty()) {
      const auto column = stand_in(k, [](std::size_t /*row*/) { return true; });
      if (k == 0) result.users_stand_in = column;
    }
    for (std::size_t t = 0; t < kind.tables->size(); ++t) {
      const auto& table = (*kind.tables)[t];
      auto rows = at_owners(comm, sharded, kind, *table.table);
      const auto scale = ScaleFit(comm, graph, shard_sum, rows, threads).fit(table);
      const auto first = static_cast<std::int32_t>(kind.first_column[t]);
      for (std::size_t row = 0; row < all.size(); ++row) {
        scale.apply(rows[row]);
        for (const auto& [column, value] : rows[row]) all[row].emplace_back(first + column, value);
      }
      const auto column = stand_in(k, [&](std::size_t row) { return rows[row].empty(); });
      if (k == 0) result.user_files.push_back({first, table.table->columns, scale, column});
    }
  }
  comm.attempt([&] {
    result.row_begin.assign(1, 0);
    for (auto& row : all) {
      std::ranges::sort(row);
      for (const auto& [column, value] : row) {
        result.column.emplace_back(column);
        result.value.push_back(value);
      }
      result.row_begin.push_back(std::ssize(result.column));
      row = {};
    }
  });
  result.columns += result.stand_ins;
  return result;
}

}  // namespace cohort
