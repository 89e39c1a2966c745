#include "train/step_traffic.hpp"

#include <algorithm>
#include <utility>

#include "comm/transfer_cost.hpp"
#include "core/error.hpp"
#include "core/matrix.hpp"
#include "model/encoder_traffic.hpp"
#include "train/choices.hpp"
#include "train/ns4gc.hpp"
#include "train/sampler.hpp"
#include "train/softmax.hpp"

namespace cohort {

namespace {

std::int64_t row_bytes(std::int64_t columns) {
  return padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t bytes_of(const std::vector<std::int64_t>& columns) {
  std::int64_t bytes = 0;
  for (const auto each : columns) bytes += row_bytes(each);
  return bytes;
}

std::int64_t views_of(const TrainConfig& train) {
  return train.loss == LossKind::ns4gc ? 2 : 1;
}

// Rows, over the steps of an epoch of BPR, by the rank that sends them.
struct PairRows {
  std::vector<std::int64_t> touched;  ///< rows with a gradient, as often as other ranks read them
  std::vector<std::int64_t> pairs;    ///< rows of pairs fetched by others, and gradients given back
};

// Draws the triples of an epoch as training does. Every process knows all of a step; each looks after its own rows, and
// after every k-th rank's pairs.
class PairCounter {
 public:
  PairCounter(const Communicator& comm, const ShardGraph& graph, const RankShares& shares)
      : comm_(comm), shares_(shares), first_(graph.positions.begin(comm.rank())), touched_(graph.positions.total(), 0) {
    rows_.touched.assign(shares.ranks(), 0);
    rows_.pairs.assign(shares.ranks(), 0);
  }

  void add(std::span<const Triple> mine) {
    std::vector<Drawn> drawn;
    for (const auto& triple : mine) {
      drawn.push_back({first_ + triple.user.value, triple.positive.value, triple.negative.value});
    }
    const auto all = comm_.all_gather(std::span<const Drawn>(drawn)).data;
    comm_.attempt([&] {
      ++step_;
      fetched_.clear();
      for (const auto& triple : all) {
        const int user_rank = shares_.positions.owner(triple.user);
        for (const auto position : {triple.user, triple.positive, triple.negative}) {
          touch(position);
          const int rank = shares_.positions.owner(position);
          if (rank == user_rank || user_rank % comm_.size() != comm_.rank()) continue;
          ++rows_.pairs[user_rank];  // its gradient
          fetched_.emplace_back(user_rank, position);
        }
      }
      std::sort(fetched_.begin(), fetched_.end());
      fetched_.erase(std::unique(fetched_.begin(), fetched_.end()), fetched_.end());
      for (const auto& fetched : fetched_) ++rows_.pairs[shares_.positions.owner(fetched.second)];
    });
  }

  /// Of all processes. Collective.
  PairRows total() {
    comm_.sum_in_place(std::span(rows_.touched));
    comm_.sum_in_place(std::span(rows_.pairs));
    return rows_;
  }

 private:
  struct Drawn {
    std::int64_t user;
    std::int64_t positive;
    std::int64_t negative;
  };

  void touch(std::int64_t position) {
    if (touched_[position] == step_) return;
    touched_[position] = step_;
    const std::int64_t row = position - first_;
    if (row < 0 || row >= std::ssize(shares_.readers)) return;
    rows_.touched[shares_.positions.owner(position)] += shares_.readers[row];
  }

  const Communicator& comm_;
  const RankShares& shares_;
  std::int64_t first_;
  std::int32_t step_ = 0;
  std::vector<std::int32_t> touched_;                  // by position: the last step that did
  std::vector<std::pair<int, std::int64_t>> fetched_;  // of the step: by whom, which
  PairRows rows_;
};

PairRows pair_rows(const Communicator& comm, const ShardedGraph& sharded, const Positives& positives,
                   const RankShares& shares, const TrainConfig& train) {
  TripleSampler sampler(comm, sharded.graph, sharded.directory, positives, train);
  sampler.begin_epoch(1);
  PairCounter counter(comm, sharded.graph, shares);
  for (std::int64_t step = 0; step < sampler.steps(); ++step) {
    const auto drawn = sampler.draw(step, step + 1);
    counter.add(drawn.of(0));
  }
  return counter.total();
}

}  // namespace

std::int64_t steps_of_epoch(const TrainConfig& train, std::int64_t users, const Positives& positives) {
  if (train.loss == LossKind::ns4gc) return 1;
  const auto batch = train.loss == LossKind::bpr ? batch_size(train.batch, positives.total) : train.batch;
  const auto samples = train.loss == LossKind::bpr ? positives.total : users;
  return std::max<std::int64_t>((samples + batch - 1) / batch, 1);
}

EpochTraffic epoch_traffic(const Communicator& comm, const ShardedGraph& sharded, const Positives& positives,
                           const RankShares& shares, const ModelConfig& model, const TrainConfig& train,
                           std::int64_t feature_columns) {
  const auto encoder = encoder_traffic(model, feature_columns);
  const auto& graph = sharded.graph;
  EpochTraffic traffic;
  traffic.steps = steps_of_epoch(train, graph.users, positives);
  const auto step_bytes = views_of(train) * bytes_of(encoder.step);
  const auto sparse = encoder.sparse > 0 ? row_bytes(encoder.sparse) : 0;
  const auto row = row_bytes(model.dim);
  PairRows pairs;
  if (train.loss == LossKind::bpr) pairs = pair_rows(comm, sharded, positives, shares, train);
  for (int rank = 0; rank < shares.ranks(); ++rank) {
    const auto& share = shares.rank[rank];
    auto halo = traffic.steps * share.sent_rows * step_bytes;
    std::int64_t pair = 0;
    switch (train.loss) {
      case LossKind::softmax: {
        // Every candidate has a gradient in every step, a user who is none in one step of the epoch.
        const auto now_and_then = graph.items > 0 ? share.sent_users : 0;
        halo += sparse * (traffic.steps * (share.sent_rows - now_and_then) + now_and_then);
        pair = traffic.steps * share.sent_rows * row;  // rows of length 1
        break;
      }
      case LossKind::ns4gc:
        pair = 2 * traffic.steps * share.sent_rows * row;  // of both views
        break;
      case LossKind::bpr:
        halo += sparse * pairs.touched[rank];
        pair = row * pairs.pairs[rank];
        break;
      default:
        throw InputError("what training sends is not known for this train.loss; it is for softmax, bpr and ns4gc");
    }
    traffic.halo_bytes.push_back(halo);
    traffic.pair_bytes.push_back(pair);
    traffic.view_bytes.push_back(share.sent_rows * bytes_of(encoder.all_rows));
  }
  return traffic;
}

StepSums step_sums(const ModelConfig& model, const TrainConfig& train, std::int64_t feature_columns) {
  StepSums sums;
  sums.numbers.push_back(1);  // the loss
  const auto views = views_of(train);
  if (train.loss == LossKind::softmax) {
    // The pool's rows, and their gradients in fixed point.
    const auto pool = SoftmaxOptions().pool * padded_stride(model.dim);
    sums.bytes = {pool * static_cast<std::int64_t>(sizeof(std::int32_t)),
                  pool * static_cast<std::int64_t>(sizeof(std::int64_t))};
  } else if (train.loss == LossKind::ns4gc) {
    const auto pool = Ns4gcOptions().pool;
    sums.bytes = {row_bytes(model.dim) * pool};
    sums.numbers.push_back(pool * model.dim);
  }
  for (const auto size : encoder_traffic(model, feature_columns).weight_sizes) {
    sums.numbers.insert(sums.numbers.end(), views, size);
  }
  return sums;
}

std::int64_t reduction_bytes(const StepSums& sums, const ShardLayout& layout) {
  const int ranks = layout.shards_of_rank.ranks();
  std::int64_t most = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    std::int64_t bytes = 0;
    for (const auto each : sums.bytes) bytes += sum_bytes(ranks, each);
    for (const auto each : sums.numbers) bytes += shard_sum_bytes(layout, rank, each);
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace cohort
