#include "train/joint.hpp"

#include <cmath>
#include <utility>

#include "core/saved_state.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

float inverse_length(const float* row, std::int64_t stride) {
  const double norm = std::sqrt(row_dot(row, row, stride));
  return norm > 0 ? static_cast<float>(1 / norm) : 0.0F;
}

// Of a loss whose gradient by unit = row / |row| is given, that by the row.
void by_whole_row(const float* unit, float inverse_norm, float* gradient, std::int64_t stride) {
  add_scaled(static_cast<float>(-row_dot(gradient, unit, stride)), unit, gradient, stride);
  scale_into(inverse_norm, gradient, gradient, stride);
}

}  // namespace

Joint::Joint(const Communicator& comm, const ShardGraph& graph, std::unique_ptr<Objective> other, std::int64_t columns,
             std::int64_t count, const JointOptions& options, int threads)
    : comm_(comm),
      graph_(graph),
      options_(options),
      other_(std::move(other)),
      soft_(comm, graph, columns, count, threads),
      threads_(threads),
      all_rows_{graph.interior, graph.interior_begin, graph.boundary, graph.boundary_begin} {
  comm.attempt([&] {
    centres_[0] = {centres_name, Matrix(count, columns)};
    gradients_[0] = Matrix(count, columns);
    unit_centres_ = Matrix(count, columns);
    placed_ = PlacedRows(graph, columns);
    unit_ = Matrix(graph.owned(), columns);
    inverse_norm_.assign(graph.owned(), 0.0F);
    segment_ = Matrix(graph.owned(), 1);
  });
}

TrainingState Joint::state() {
  auto state = other_->state();
  state.rows["joint/segment"] = segment_.view();
  state.numbers["joint/begun"] = &begun_;
  state.numbers["joint/moved"] = &moved_;
  state.numbers["joint/modularity"] = &modularity_;
  return state;
}

void Joint::scale_to_length_one() {
  placed_.to_owned();
  const auto rows = placed_.owned();
#pragma omp parallel for schedule(static) num_threads(threads_)
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    inverse_norm_[row] = inverse_length(rows.row(row), rows.stride);
    scale_into(inverse_norm_[row], rows.row(row), unit_.row(row), rows.stride);
  }
}

void Joint::look_who_moved(bool last_step) {
  if (begun_ != 0 && !last_step) return;
  std::int64_t moved = 0;
  for (std::int32_t row = 0; std::cmp_less(row, graph_.owned()); ++row) {
    const auto now = static_cast<float>(soft_.segment()[row]);
    if (begun_ != 0 && now != segment_.row(row)[0] && graph_.is_user(LocalRow{row})) ++moved;
    if (begun_ == 0 || last_step) segment_.row(row)[0] = now;
  }
  moved_ = begun_ == 0 ? 0 : comm_.sum(moved);
  begun_ = 1;
}

SparseGradient Joint::gradient(std::int64_t step, int view, ConstMatrixView layer_zero,
                               std::span<double> loss_by_shard) {
  if (!is_own(view)) return other_->gradient(step, view, layer_zero, loss_by_shard);
  scale_to_length_one();
  auto& centres = centres_[0].value;
  for (std::int64_t j = 0; j < centres.rows(); ++j) {
    scale_into(inverse_length(centres.row(j), centres.stride()), centres.row(j), unit_centres_.row(j),
               centres.stride());
  }
  std::vector<double> own_loss(loss_by_shard.size(), 0.0);
  const auto by_rows = placed_.owned();
  modularity_ += soft_.gradient(unit_.view(), {unit_centres_.view(), {}, options_.temperature}, by_rows, own_loss);
  for (std::size_t shard = 0; shard < own_loss.size(); ++shard) {
    loss_by_shard[shard] += options_.weight * own_loss[shard];
  }
  look_who_moved(step + 1 == steps());
  const auto weight = static_cast<float>(options_.weight);
  auto& by_centres = gradients_[0];
  for (std::int64_t j = 0; j < centres.rows(); ++j) {
    float* const gradient = by_centres.row(j);
    scale_into(weight, soft_.by_weight().row(j), gradient, by_centres.stride());
    by_whole_row(unit_centres_.row(j), inverse_length(centres.row(j), centres.stride()), gradient, by_centres.stride());
  }
#pragma omp parallel for schedule(static) num_threads(threads_)
  for (std::int64_t row = 0; row < by_rows.rows; ++row) {
    by_whole_row(unit_.row(row), weight * inverse_norm_[row], by_rows.row(row), by_rows.stride);
  }
  placed_.to_places();
  return placed_.gradient();
}

ObjectiveTraffic Joint::traffic() const {
  auto traffic = other_->traffic();
  traffic.bytes_sent += soft_.bytes_sent();
  traffic.waiting_seconds += soft_.waiting_seconds();
  return traffic;
}

JointStats Joint::take_stats(double loss) {
  JointStats stats;
  stats.modularity = modularity_ / static_cast<double>(steps());
  stats.objective = loss - options_.weight * stats.modularity;
  stats.moved = moved_;
  modularity_ = 0;
  return stats;
}

}  // namespace cohort
