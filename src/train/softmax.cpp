#include "train/softmax.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "comm/shard_sum.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/ragged.hpp"
#include "core/random.hpp"
#include "kernels/rows.hpp"
#include "kernels/scores.hpp"
#include "kernels/softmax.hpp"
#include "kernels/spmm.hpp"

namespace cohort {

namespace {

// Users whose scores a thread holds at a time; which users share a block is given by the graph's shards alone.
constexpr std::int64_t block_users = 64;

const std::vector<LocalRow>& first_row() {
  static const std::vector<LocalRow> row{LocalRow{0}};
  return row;
}

}  // namespace

Softmax::Softmax(const Communicator& comm, const ShardGraph& graph, std::int64_t columns, const SoftmaxOptions& options,
                 int threads)
    : comm_(comm),
      graph_(graph),
      halo_(comm, graph.halo, graph.owned(), columns),
      options_(options),
      threads_(threads),
      columns_(columns),
      shards_(graph.layout.shards_of_rank.count(comm.rank())),
      exchange_(comm, columns),
      unit_(comm, halo_) {
  COHORT_CHECK(options.temperature > 0 && options.batch > 0 && options.pool > 0 && columns > 0);
  steps_ = std::max<std::int64_t>((graph.users + options.batch - 1) / options.batch, 1);
  weigh_users();
  comm.attempt([&] {
    find_candidates();
    make_room();
  });
}

// c_u, also of ghosts: the pair's weight over the sum of all, times the number of steps that share it.
void Softmax::weigh_users() {
  const HaloLayout one(comm_, graph_.halo, graph_.owned(), 1);
  HaloMatrix count(comm_, one);
  std::vector<double> sums;
  comm_.attempt([&] {
    positives_.assign(graph_.owned(), 0);
    weight_.assign(graph_.local_rows(), 0.0F);
    sums.assign(shards_, 0.0);
    for (std::int64_t k = 0; k < shards_; ++k) {
      const auto shard = static_cast<std::int32_t>(k);
      for (auto row = graph_.shard_first_row(comm_.rank(), shard);
           row < graph_.shard_first_row(comm_.rank(), shard + 1); ++row) {
        if (!is_user(LocalRow{static_cast<std::int32_t>(row)})) continue;
        for (const auto e : places_of(graph_.adjacency.row_begin, static_cast<std::size_t>(row))) {
          positives_[row] += is_target(graph_.adjacency.column[e]) ? 1 : 0;
        }
        const auto degree = static_cast<double>(positives_[row]);
        if (degree > 0) sums[k] += std::pow(degree, 1 - options_.degree_power);
        count.row(row)[0] = static_cast<float>(degree);
        pairs_ += positives_[row];
      }
    }
  });
  pairs_ = comm_.sum(pairs_);
  const double total = shard_sum(comm_, graph_.layout, sums);
  if (total == 0) {
    throw TooLittleError(
        "there is nothing to train on: no user has an interaction (or friend); check [input] and [clean]");
  }
  RowExchange exchange(comm_, 1);
  exchange.start(one, count);
  exchange.finish();
  const auto chosen = static_cast<double>(steps_);
  for (std::int64_t row = 0; row < graph_.local_rows(); ++row) {
    const auto at = row < graph_.owned() ? row : std::int64_t{one.ghost_row()[row - graph_.owned()].value};
    const auto degree = static_cast<double>(count.row(at)[0]);
    if (degree > 0) weight_[row] = static_cast<float>(chosen * std::pow(degree, -options_.degree_power) / total);
  }
  comm_.barrier();  // others may be reading the counts
  // The pool's gradient is at most the sum of all weights: what 62 bits leave beside it is far below float32.
  fixed_scale_ = std::exp2(std::floor(60 - std::log2(std::max(chosen / options_.temperature, 1.0))));
}

void Softmax::find_candidates() {
  for (std::int32_t row = 0; std::cmp_less(row, graph_.owned()); ++row) {
    if (is_target(LocalRow{row})) candidate_.emplace_back(graph_.node[row], LocalRow{row});
  }
  std::ranges::sort(candidate_);
}

void Softmax::make_room() {
  step_of_.assign(graph_.local_rows(), -1);
  place_.assign(graph_.owned(), -1);
  // Every target, and the users of a step: at most all rows.
  value_ = Matrix(graph_.local_rows(), columns_);
  no_decay_.assign(graph_.owned(), 0.0F);
  inverse_norm_.resize(graph_.owned());
  log_sum_.resize(graph_.owned());
  pool_ = Matrix(options_.pool, columns_);
  pool_gradient_.resize(options_.pool * pool_.stride());
  std::int64_t longest = 0;
  for (std::int64_t row = 0; row < graph_.owned(); ++row) {
    longest = std::max(longest, places_of(graph_.adjacency.row_begin, static_cast<std::size_t>(row)).size());
  }
  scratch_.resize(threads_);
  for (auto& scratch : scratch_) {
    scratch.unit = Matrix(block_users, columns_);
    scratch.score = Matrix(block_users, options_.pool);
    scratch.by_candidate = Matrix(options_.pool, block_users);
    scratch.pool = Matrix(options_.pool, columns_);
    scratch.sum = Matrix(2, columns_);
    scratch.log_sum.resize(block_users);
    scratch.fixed_pool.resize(pool_gradient_.size());
    scratch.row_begin.resize(2);
    scratch.column.resize(longest + 1);
    scratch.factor.resize(longest + 1);
  }
}

// A twentieth of all steps rising, then half a cosine down to 0 (Loshchilov and Hutter 2017, "SGDR", without restarts).
double Softmax::rate_factor(std::int64_t step, std::int64_t total) const {
  const double warm_up = 0.05 * static_cast<double>(total);
  const auto at = static_cast<double>(step);
  if (at < warm_up) return std::min(1.0, (at + 1) / warm_up);
  return 0.5 * (1 + std::cos(std::numbers::pi * (at - warm_up) / (static_cast<double>(total) - warm_up)));
}

// z / |z| into unit_, at the row's own place.
void Softmax::normalise() {
  const auto unit = [&](Rows rows, std::int64_t first) {
#pragma omp parallel for schedule(static) num_threads(threads_)
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int64_t place = first + static_cast<std::int64_t>(i);
      const float* const z = value_.row(place);
      const double norm = std::sqrt(row_dot(z, z, value_.stride()));
      inverse_norm_[place] = norm > 0 ? static_cast<float>(1 / norm) : 0.0F;
      scale_into(inverse_norm_[place], z, unit_.row(rows[i].value), value_.stride());
    }
  };
  unit(interior_, 0);
  unit(boundary_, std::ssize(interior_));
}

// Every row of the pool has one owner: the sum of the bit patterns is its own, with zeros.
void Softmax::gather_pool() {
  const auto bits = std::span(reinterpret_cast<std::int32_t*>(pool_.row(0)),
                              static_cast<std::size_t>(options_.pool * pool_.stride()));
  std::ranges::fill(bits, 0);
  for (const auto& [row, k] : drawn_) std::copy_n(unit_.row(row.value), pool_.stride(), pool_.row(k));
  comm_.sum_in_place(bits);
}

// The denominators: users against the whole pool, a product of their rows, while the neighbours' rows are on their way.
void Softmax::add_pool() {
  const PackedRows pool(pool_.view());
  Matrix transposed(columns_, options_.pool);
  for (std::int64_t k = 0; k < options_.pool; ++k) {
    for (std::int64_t c = 0; c < columns_; ++c) transposed.row(c)[k] = pool_.row(k)[c];
  }
  const PackedRows by_column(transposed.view());
  for (auto& scratch : scratch_) std::ranges::fill(scratch.fixed_pool, 0);
  for_each_in_parallel(shards_, threads_, [&](std::int64_t shard) {
    auto& scratch = scratch_[omp_get_thread_num()];
    for (auto first = users_begin_[shard]; first < users_begin_[shard + 1]; first += block_users) {
      const auto count = std::min(block_users, users_begin_[shard + 1] - first);
      add_pool(first, Rows(users_).subspan(first, count), pool, by_column, scratch);
    }
    if (omp_get_thread_num() == 0) exchange_.progress();
  });
  std::ranges::fill(pool_gradient_, 0);
  for (const auto& scratch : scratch_) {
    for (std::size_t i = 0; i < pool_gradient_.size(); ++i) pool_gradient_[i] += scratch.fixed_pool[i];
  }
}

// One block of users of a shard: log_sum_, value_ += c n / T sum of p z_j, fixed_pool += c n / T p z_u.
void Softmax::add_pool(std::int64_t first, Rows users, const PackedRows& pool, const PackedRows& by_column,
                       Scratch& scratch) {
  const std::int64_t count = std::ssize(users);
  for (std::int64_t i = 0; i < count; ++i) {
    std::copy_n(unit_.row(users[i].value), unit_.stride(), scratch.unit.row(i));
  }
  const MatrixView score = scratch.score.view().slice(0, count);
  inner_products(scratch.unit.view().slice(0, count), pool, score);
  softmax_rows(score, options_.temperature, std::span(log_sum_).subspan(first, count));
  Matrix by_user(columns_, block_users);  // unit, transposed; zero beyond the block
  for (std::int64_t i = 0; i < block_users; ++i) {
    if (i >= count) {
      for (std::int64_t k = 0; k < options_.pool; ++k) scratch.by_candidate.row(k)[i] = 0;
      continue;
    }
    const LocalRow user = users[i];
    const auto factor = static_cast<float>(static_cast<double>(weight_[user.value]) *
                                           static_cast<double>(positives_[user.value]) / options_.temperature);
    scale_into(factor, score.row(i), score.row(i), score.stride);
    for (std::int64_t k = 0; k < options_.pool; ++k) scratch.by_candidate.row(k)[i] = score.row(i)[k];
    for (std::int64_t c = 0; c < columns_; ++c) by_user.row(c)[i] = scratch.unit.row(i)[c];
  }
  inner_products(score, by_column, scratch.unit.view().slice(0, count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::copy_n(scratch.unit.row(i), value_.stride(), value_.row(place_[users[i].value]));
  }
  inner_products(scratch.by_candidate.view(), PackedRows(by_user.view()), scratch.pool.view());
  const float* const sums = scratch.pool.row(0);
  for (std::size_t i = 0; i < scratch.fixed_pool.size(); ++i) {
    scratch.fixed_pool[i] += std::llrint(static_cast<double>(sums[i]) * fixed_scale_);
  }
}

// out = sum over the row's columns that count of factor(column) * unit row.
template <class Factor>
void Softmax::sum_columns(LocalRow row, Factor factor, float* out, Scratch& scratch) const {
  const auto& adjacency = graph_.adjacency;
  std::size_t left = 0;
  for (const auto e : places_of(adjacency.row_begin, static_cast<std::size_t>(row.value))) {
    const LocalRow column = adjacency.column[e];
    const float value = factor(column);
    scratch.column[left] = column.value < graph_.owned() ? column : halo_.ghost_row()[column.value - graph_.owned()];
    scratch.factor[left] = value;
    left += value != 0 ? 1 : 0;
  }
  scratch.row_begin[0] = 0;
  scratch.row_begin[1] = static_cast<std::int64_t>(left);
  const MatrixView sum{out, 1, columns_, unit_.stride()};
  spmm_block({scratch.row_begin, std::span<const LocalRow>(scratch.column).first(left),
              std::span<const float>(scratch.factor).first(left)},
             first_row(), unit_.view(), {}, 1.0F, sum);
}

void Softmax::add_positives(std::span<double> loss) {
  const double inverse = 1 / options_.temperature;
  const auto finish = [&](LocalRow row, float* gradient) {
    const std::int64_t place = place_[row.value];
    const float* const unit = unit_.row(row.value);
    const auto along = static_cast<float>(-row_dot(gradient, unit, unit_.stride()));
    add_scaled(along, unit, gradient, unit_.stride());
    scale_into(inverse_norm_[place], gradient, gradient, unit_.stride());
  };
  for_each_in_parallel(shards_, threads_, [&](std::int64_t shard) {
    auto& scratch = scratch_[omp_get_thread_num()];
    float* const sum = scratch.sum.row(0);
    double partial = 0;
    auto user = users_begin_[shard];
    auto drawn = std::ranges::lower_bound(
        drawn_,
        LocalRow{static_cast<std::int32_t>(graph_.shard_first_row(comm_.rank(), static_cast<std::int32_t>(shard)))}, {},
        &std::pair<LocalRow, std::int32_t>::first);
    const auto last = graph_.shard_first_row(comm_.rank(), static_cast<std::int32_t>(shard) + 1);
    for (auto r = graph_.shard_first_row(comm_.rank(), static_cast<std::int32_t>(shard)); r < last; ++r) {
      const LocalRow row{static_cast<std::int32_t>(r)};
      if (place_[r] < 0) continue;
      float* const gradient = value_.row(place_[r]);
      if (is_chosen(row)) {
        const auto weight = static_cast<double>(weight_[r]);
        sum_columns(
            row, [&](LocalRow column) { return is_target(column) ? 1.0F : 0.0F; }, sum, scratch);
        partial += weight * (static_cast<double>(positives_[r]) * log_sum_[user++] -
                             row_dot(unit_.row(r), sum, unit_.stride()) * inverse);
        add_scaled(static_cast<float>(-weight * inverse), sum, gradient, unit_.stride());
      } else {
        std::fill_n(gradient, unit_.stride(), 0.0F);
      }
      if (is_target(row)) {
        const auto factor = static_cast<float>(-inverse);
        sum_columns(
            row, [&](LocalRow column) { return is_chosen(column) ? weight_[column.value] : 0.0F; }, sum, scratch);
        add_scaled(factor, sum, gradient, unit_.stride());
        for (; drawn != drawn_.end() && drawn->first == row; ++drawn) {
          const std::int64_t* const pool = pool_gradient_.data() + drawn->second * pool_.stride();
          for (std::int64_t c = 0; c < columns_; ++c)
            gradient[c] += static_cast<float>(static_cast<double>(pool[c]) / fixed_scale_);
        }
      }
      finish(row, gradient);
    }
    loss[shard] = partial;
  });
}

SparseGradient Softmax::gradient(std::int64_t step, int /*view*/, ConstMatrixView /*layer_zero*/,
                                 std::span<double> loss) {
  COHORT_CHECK(step == step_ && std::ssize(loss) == shards_);
  exchange_.meet(halo_);  // neighbours have read what the last step left
  waiting_ += exchange_.finish();
  normalise();
  exchange_.start(halo_, unit_);
  gather_pool();
  add_pool();
  waiting_ += exchange_.finish();
  comm_.sum_in_place(std::span<std::int64_t>(pool_gradient_));
  add_positives(loss);
  const auto wanted = rows(step, 0);
  return {wanted, ghost_, &ghost_halo_, value_.view().slice(0, wanted.size() + std::ssize(ghost_))};
}

}  // namespace cohort
