#include "recommend/filter_ranking.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "comm/shard_sum.hpp"
#include "core/interruption.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "core/work_done.hpp"
#include "graph/edge_weights.hpp"
#include "kernels/scores.hpp"
#include "recommend/filter_block.hpp"
#include "recommend/item_rows.hpp"

namespace cohort {

namespace {

constexpr std::int64_t columns_of_block = GraphFilter::columns;
constexpr std::int64_t chunk_items = 128;  // whose scores a thread makes at a time

// Over all items; 0 where they differ by rounding alone.
double deviation_of(double sum, double squares, std::int64_t items) {
  constexpr double rounding = 1e-12;
  const auto count = static_cast<double>(items);
  const double mean = sum / count;
  const double variance = squares / count - mean * mean;
  return variance > rounding * squares / count ? std::sqrt(variance) : 0.0;
}

// What a thread makes the scores of some items with.
struct Workshop {
  Matrix products{chunk_items, columns_of_block};
  Matrix filtered{columns_of_block, chunk_items};
  Matrix embedded{columns_of_block, chunk_items};
  Matrix scores{1, chunk_items};
};

}  // namespace

FilterRanking::Factors FilterRanking::Block::factors(std::int64_t column, double beside) const {
  const double filter = filter_deviation[column];
  const double embedding = deviation[column];
  Factors result;
  if (filter > 0) result.of_filter = static_cast<float>(1 / filter);
  if (embedding > 0) result.of_embedding = static_cast<float>((filter > 0 ? beside : 1) / embedding);
  return result;
}

std::span<float> FilterRanking::Scores::make() {
  const auto factors = block.factors(column, beside);
  for (std::size_t i = 0; i < filtered.size(); ++i) room[i] = factors.of(filtered[i], embedded[i]);
  return room.first(filtered.size());
}

FilterRanking::FilterRanking(const Communicator& comm, const FilterGraph& graph, ConstMatrixView items,
                             const Distribution& item_blocks, const ItemChoice& choice)
    : comm_(comm),
      graph_(graph),
      filter_(comm, graph.graph, omp_get_max_threads()),
      columns_(comm.max(items.rows > 0 ? items.columns : 0)) {
  COHORT_CHECK(item_blocks.total() == graph.graph.items && std::ssize(graph.degree) == graph.graph.owned());
  if (columns_ > 0) scale_.emplace(comm, items);
  place_items(items, item_blocks, choice);
}

void FilterRanking::place_items(ConstMatrixView items, const Distribution& item_blocks, const ItemChoice& choice) {
  const auto& graph = graph_.graph;
  std::vector<char> allowed;
  comm_.attempt([&] {
    const auto& rows = filter_.items().rows;
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto number = [&](std::size_t i) { return graph.node[rows[i].value].value - graph.users; };
    std::ranges::sort(order, {}, number);
    for (const auto i : order) {
      item_.push_back(number(i));
      row_of_item_.push_back(rows[i].value);
    }
    if (!choice.all) {
      allowed.assign(item_blocks.count(comm_.rank()), 0);
      for (const auto row : choice.rows) allowed[row] = 1;
    }
  });
  const auto all_allowed = choice.all ? std::vector<char>() : comm_.all_gather(std::span<const char>(allowed)).data;
  comm_.attempt([&] {
    for (std::size_t i = 0; i < item_.size(); ++i) {
      if (!all_allowed.empty() && !all_allowed[item_[i]]) continue;
      row_.push_back(row_of_item_[i]);
      number_.push_back(item_[i]);
    }
  });
  if (columns_ > 0) embedding_ = fetch_item_rows(comm_, item_blocks, items, number_);
}

void FilterRanking::take_power(double power) {
  power_ = power;
  degree_power_.assign(graph_.degree.size(), 0.0F);
  for (const auto row : row_of_item_) {
    const auto degree = graph_.degree[row];
    if (degree > 0) degree_power_[row] = static_cast<float>(std::pow(degree, power));
  }
}

void FilterRanking::rank(const FilterSignals& signals, const FilterWeights& weights, std::int64_t k,
                         const FilterSink& sink) {
  COHORT_CHECK(k >= 0);
  const auto visit = [&](const Block& block, ConstMatrixView smoothed) {
    const auto best = best_here(smoothed, block, weights.beside, k);
    hand_out(block, best, std::ssize(weights.beside), k, sink);
  };
  for_each_block(signals, weights, std::ref(visit));
}

void FilterRanking::for_each_block(const FilterSignals& signals, const FilterWeights& weights,
                                   const BlockVisit& visit) {
  COHORT_CHECK(signals.items && signals.rows.rows <= signals.items->rows());
  COHORT_CHECK(columns_ == 0 || signals.rows.rows == signals.items->rows());
  comm_.attempt([&] { take_power(weights.power); });
  const auto coefficients = filter_coefficients(weights.ridge);
  const auto mine = signals.chosen ? std::ssize(*signals.chosen) : signals.items->rows();
  std::int64_t before = mine;
  comm_.exclusive_sum_in_place(std::span<std::int64_t>(&before, 1));
  const auto total = comm_.sum(mine);
  for (std::int64_t first = 0; first < total; first += columns_of_block) {
    note_work(first, total);
    auto block = gather(signals, before, first);
    fill(block);
    const auto smoothed = filter_.apply(coefficients);
    measure(smoothed, block);
    visit(block, smoothed);
  }
}

FilterRanking::Block FilterRanking::gather(const FilterSignals& signals, std::int64_t before,
                                           std::int64_t place) const {
  const EdgeWeights weighting(graph_.weighting);
  Block block;
  std::vector<Block::Entry> entries;
  std::vector<Block::Entry> excluded;
  std::vector<float> embedding;
  std::vector<double> deviation;
  comm_.attempt([&] {
    end_if_interrupted();
    const auto mine = signals.chosen ? std::ssize(*signals.chosen) : signals.items->rows();
    const auto from = std::clamp<std::int64_t>(place - before, 0, mine);
    const auto to = std::clamp<std::int64_t>(place + columns_of_block - before, 0, mine);
    for (auto i = from; i < to; ++i) {
      const auto row = signals.chosen ? (*signals.chosen)[i] : i;
      const auto column = static_cast<std::int32_t>(before + i - place);
      block.row.push_back(row);
      const auto& table = *signals.items;
      for (const auto k : places_of(table.row_begin, static_cast<std::size_t>(row))) {
        const float weight = table.weight[k];
        entries.push_back({table.other[k], column, signals.weighed ? weight : weighting.interaction(weight)});
      }
      if (signals.excluded) {
        for (const auto item : signals.excluded->row(row)) excluded.push_back({item, column, 0});
      }
      if (columns_ == 0) continue;
      const auto values = signals.rows.at(row);
      embedding.insert(embedding.end(), values.begin(), values.end());
      deviation.push_back(scale_->of(values).deviation);
    }
  });
  block.column_begin.assign(1, 0);
  for (const auto count : comm_.all_gather(std::ssize(block.row))) {
    block.column_begin.push_back(block.column_begin.back() + count);
  }
  block.entries = comm_.all_gather(std::span<const Block::Entry>(entries)).data;
  const auto passed_over = comm_.all_gather(std::span<const Block::Entry>(excluded)).data;
  const auto rows = comm_.all_gather(std::span<const float>(embedding)).data;
  block.deviation = comm_.all_gather(std::span<const double>(deviation)).data;
  comm_.attempt([&] {
    block.excluded.resize(block.columns());
    for (const auto& entry : passed_over) block.excluded[entry.column].push_back(entry.item);
    block.deviation.resize(block.columns(), 0.0);
    if (columns_ == 0) return;
    block.embedding = Matrix(block.columns(), columns_);
    for (std::int64_t i = 0; i < block.columns(); ++i) {
      std::copy_n(rows.begin() + i * columns_, columns_, block.embedding.row(i));
    }
  });
  return block;
}

void FilterRanking::fill(const Block& block) {
  const auto signals = filter_.signals();
  for (const auto row : row_of_item_) {
    std::memset(signals.row(row), 0, static_cast<std::size_t>(signals.stride) * sizeof(float));
  }
  for (const auto& entry : block.entries) {
    const auto at = std::ranges::lower_bound(item_, entry.item);
    if (at == item_.end() || *at != entry.item) continue;
    const auto row = row_of_item_[at - item_.begin()];
    const auto power = degree_power_[row];
    if (power > 0) signals.row(row)[entry.column] = entry.value / power;
  }
}

// By shards, in the order of their rows, as the number of ranks must not matter.
void FilterRanking::measure(ConstMatrixView smoothed, Block& block) const {
  constexpr auto width = 2 * columns_of_block;
  std::vector<double> partials;
  comm_.attempt([&] {
    partials.assign(filter_.items().shards() * width, 0.0);
    for_each_in_parallel(filter_.items().shards(), [&](std::int64_t shard) {
      double* const sum = partials.data() + shard * width;
      double* const squares = sum + columns_of_block;
      for (const LocalRow row : filter_.items().shard(shard)) {
        const float power = degree_power_[row.value];
        const float* const values = smoothed.row(row.value);
        for (std::int64_t j = 0; j < columns_of_block; ++j) {
          const auto score = static_cast<double>(values[j] * power);
          sum[j] += score;
          squares[j] += score * score;
        }
      }
    });
  });
  const auto sums = shard_sum(comm_, graph_.graph.layout, partials, width);
  comm_.attempt([&] {
    for (std::int64_t j = 0; j < block.columns(); ++j) {
      block.filter_deviation.push_back(deviation_of(sums[j], sums[columns_of_block + j], graph_.graph.items));
    }
  });
}

void FilterRanking::score(ConstMatrixView smoothed, const Block& block, std::span<const double> beside,
                          const ScoreSink& sink) const {
  const auto columns = block.columns();
  const PackedRows users = columns_ > 0 ? PackedRows(block.embedding.view()) : PackedRows();
  std::vector<Workshop> workshops(omp_get_max_threads());
  const auto rows = std::ssize(row_);
  for_each_in_parallel((rows + chunk_items - 1) / chunk_items, [&](std::int64_t chunk) {
    auto& workshop = workshops[omp_get_thread_num()];
    const auto first = chunk * chunk_items;
    const auto count = std::min(chunk_items, rows - first);
    if (columns_ > 0) inner_products(embedding_.view().slice(first, count), users, workshop.products.view());
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row = row_[first + i];
      const float power = degree_power_[row];
      for (std::int64_t j = 0; j < columns; ++j) {
        workshop.filtered.row(j)[i] = smoothed.row(row)[j] * power;
        workshop.embedded.row(j)[i] = workshop.products.row(i)[j];
      }
    }
    const auto some = static_cast<std::size_t>(count);
    Scores scores(block);
    scores.items = std::span<const std::int64_t>(number_).subspan(first, some);
    scores.room = {workshop.scores.row(0), some};
    for (scores.column = 0; scores.column < columns; ++scores.column) {
      scores.filtered = {workshop.filtered.row(scores.column), some};
      scores.embedded = {workshop.embedded.row(scores.column), some};
      for (scores.weight = 0; scores.weight < std::ssize(beside); ++scores.weight) {
        scores.beside = beside[scores.weight];
        sink(scores);
      }
    }
  });
}

std::vector<ScoredItem> FilterRanking::best_here(ConstMatrixView smoothed, const Block& block,
                                                 std::span<const double> beside, std::int64_t k) const {
  const auto columns = block.columns();
  const auto weights = std::ssize(beside);
  std::vector<ScoredItem> best;
  comm_.attempt([&] {
    std::vector<std::vector<TopK>> findings(omp_get_max_threads());
    for (auto& finding : findings) finding.assign(columns * weights, TopK(k));
    score(smoothed, block, beside, [&](Scores& scores) {
      findings[omp_get_thread_num()][scores.column * weights + scores.weight].offer(scores.make(), scores.items,
                                                                                    block.excluded[scores.column]);
    });
    best.assign(columns * weights * k, {0, -1});
    for_each_in_parallel(columns * weights, [&](std::int64_t list) {
      std::vector<ScoredItem> all;
      for (const auto& finding : findings) {
        const auto some = finding[list].sorted();
        all.insert(all.end(), some.begin(), some.end());
      }
      std::ranges::sort(all, std::less<>());
      std::copy_n(all.begin(), std::min(std::ssize(all), k), best.begin() + list * k);
    });
  });
  return best;
}

void FilterRanking::hand_out(const Block& block, std::span<const ScoredItem> mine, std::int64_t weights, std::int64_t k,
                             const FilterSink& sink) const {
  std::vector<std::int64_t> begin;
  for (const auto column : block.column_begin) begin.push_back(column * weights * k);
  const auto came = comm_.exchange(mine, std::span<const std::int64_t>(begin)).data;
  comm_.attempt([&] {
    const auto lists = std::ssize(block.row) * weights;
    for_each_in_parallel(lists, [&](std::int64_t list) {
      std::vector<ScoredItem> all;
      for (int rank = 0; rank < comm_.size(); ++rank) {
        const auto first = came.begin() + (rank * lists + list) * k;
        std::copy_if(first, first + k, std::back_inserter(all), [](const ScoredItem& one) { return one.item >= 0; });
      }
      std::ranges::sort(all, std::less<>());
      all.resize(std::min(std::ssize(all), k));
      sink(static_cast<std::size_t>(list % weights), block.row[list / weights], all);
    });
  });
}

}  // namespace cohort
