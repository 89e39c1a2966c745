#include "train/pair_loss.hpp"

#include <algorithm>
#include <cmath>

#include "core/ragged.hpp"
#include "kernels/rows.hpp"

namespace cohort {

namespace {

void grow(Matrix& matrix, std::int64_t rows, std::int64_t columns) {
  if (rows <= matrix.rows() && matrix.columns() == columns) return;
  matrix = {};
  matrix = Matrix(rows, columns);
}

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

double logistic(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x >= 0 ? 1.0 : e) / (1.0 + e);
}

std::int64_t times_in_triples(const StepPlan& plan, std::size_t i) {
  return places_of(plan.source_begin, i).size();
}

}  // namespace

PairLoss::PairLoss(const Communicator& comm, std::int64_t columns, double decay, int threads)
    : columns_(columns), decay_(decay), threads_(threads), exchange_(comm, columns) {}

void PairLoss::reserve(std::span<const StepPlan> plans) {
  std::int64_t embedding = 0;
  std::int64_t gradient = 0;
  std::int64_t outgoing = 0;
  std::int64_t incoming = 0;
  std::size_t triples = 0;
  std::size_t touched = 0;
  for (const auto& plan : plans) {
    embedding = std::max(embedding, std::ssize(plan.touched) + plan.fetched());
    gradient = std::max(gradient, std::ssize(plan.touched) + std::ssize(plan.ghost));
    outgoing = std::max(outgoing, std::ssize(plan.remote));
    incoming = std::max(incoming, plan.give_back.received_rows());
    triples = std::max(triples, plan.own.size());
    touched = std::max(touched, plan.touched.size());
  }
  grow(embedding_, embedding, columns_);
  grow(gradient_, gradient, columns_);
  grow(outgoing_, outgoing, columns_);
  grow(incoming_, incoming, columns_);
  loss_.resize(triples);
  coefficient_.resize(triples);
  norm_.resize(touched);
}

float PairLoss::decay_of(const StepPlan& plan, std::size_t i) const {
  return static_cast<float>(decay_ * static_cast<double>(times_in_triples(plan, i)) /
                            static_cast<double>(plan.triples));
}

SparseGradient PairLoss::gradient(const StepPlan& plan, ConstMatrixView parameters, std::span<double> partial) {
  exchange_.start(plan.fetch, embedding_.view(), embedding_.row(std::ssize(plan.touched)));
  waiting_ += exchange_.finish();
  score(plan);
  return_gradients(plan);
  sum_partials(plan, parameters, partial);
  waiting_ += exchange_.finish();
  add_gradients(plan);
  return {plan.rows(), plan.ghost, &plan.halo,
          gradient_.view().slice(0, std::ssize(plan.touched) + std::ssize(plan.ghost))};
}

void PairLoss::score(const StepPlan& plan) {
  const double share = 1.0 / static_cast<double>(plan.triples);
  const std::int64_t stride = embedding_.stride();
#pragma omp parallel for schedule(static) num_threads(threads_) if (threads_ > 1)
  for (std::size_t i = 0; i < plan.own.size(); ++i) {
    const auto& slots = plan.own[i];
    const float* const user = embedding_.row(slots.user);
    const double difference =
        row_dot(user, embedding_.row(slots.negative), stride) - row_dot(user, embedding_.row(slots.positive), stride);
    loss_[i] = softplus(difference);
    coefficient_[i] = static_cast<float>(logistic(difference) * share);
  }
}

void PairLoss::return_gradients(const StepPlan& plan) {
#pragma omp parallel for schedule(static) num_threads(threads_) if (threads_ > 1)
  for (std::size_t k = 0; k < plan.remote.size(); ++k) {
    const auto& part = plan.remote[k];
    const float coefficient = coefficient_[part.triple];
    scale_into(part.role == Role::positive ? -coefficient : coefficient, embedding_.row(plan.own[part.triple].user),
               outgoing_.row(static_cast<std::int64_t>(k)), outgoing_.stride());
  }
  exchange_.start(plan.give_back, outgoing_.view(), incoming_.row(0));
}

// Triples by number, then touched rows ascending, each to its shard: the order on any number of ranks.
void PairLoss::sum_partials(const StepPlan& plan, ConstMatrixView parameters, std::span<double> partial) {
  std::ranges::fill(partial, 0.0);
  for (std::size_t i = 0; i < plan.own.size(); ++i) partial[plan.own_shard[i]] += loss_[i];
  if (decay_ > 0) {
#pragma omp parallel for schedule(static) num_threads(threads_) if (threads_ > 1)
    for (std::size_t i = 0; i < plan.touched.size(); ++i) {
      const float* const row = parameters.row(plan.touched[i].value);
      norm_[i] = row_dot(row, row, parameters.stride);
    }
    for (std::size_t i = 0; i < plan.touched.size(); ++i) {
      partial[plan.touched_shard[i]] += 0.5 * decay_ * static_cast<double>(times_in_triples(plan, i)) * norm_[i];
    }
  }
  for (double& value : partial) value /= static_cast<double>(plan.triples);
}

void PairLoss::add_gradients(const StepPlan& plan) {
  const std::int64_t stride = gradient_.stride();
#pragma omp parallel for schedule(dynamic, 64) num_threads(threads_) if (threads_ > 1)
  for (std::size_t i = 0; i < plan.touched.size(); ++i) {
    float* const out = gradient_.row(plan.slot[i]);
    std::fill_n(out, stride, 0.0F);
    for (const auto k : places_of(plan.source_begin, i)) {
      const StepPlan::Source source = plan.source[k];
      if (source < 0) {
        add_row(incoming_.row(-1 - source), out, stride);
        continue;
      }
      const auto& slots = plan.own[source / 3];
      const float coefficient = coefficient_[source / 3];
      const float* const user = embedding_.row(slots.user);
      switch (Role{source % 3}) {
        case Role::user:
          add_scaled_difference(coefficient, embedding_.row(slots.negative), embedding_.row(slots.positive), out,
                                stride);
          break;
        case Role::positive:
          add_scaled(-coefficient, user, out, stride);
          break;
        case Role::negative:
          add_scaled(coefficient, user, out, stride);
          break;
      }
    }
  }
}

}  // namespace cohort
