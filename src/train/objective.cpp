#include "train/objective.hpp"

#include "core/error.hpp"
#include "train/bpr.hpp"
#include "train/dmon.hpp"
#include "train/ns4gc.hpp"
#include "train/softmax.hpp"

namespace cohort {

std::unique_ptr<Objective> make_objective(const Communicator& comm, const ShardGraph& graph,
                                          const NodeDirectory& directory, const Positives& positives,
                                          const ModelConfig& model, const TrainConfig& train, std::int64_t segments,
                                          int threads) {
  switch (train.loss) {
    case LossKind::automatic:
      break;
    case LossKind::dmon:
      return std::make_unique<Dmon>(comm, graph, model.dim, segments, static_cast<std::uint64_t>(train.seed), threads);
    case LossKind::bpr:
      return std::make_unique<Bpr>(comm, graph, directory, positives, model.dim, train, threads);
    case LossKind::ns4gc: {
      Ns4gcOptions options;
      options.seed = static_cast<std::uint64_t>(train.seed);
      return std::make_unique<Ns4gc>(comm, graph, model.dim, options, threads);
    }
    case LossKind::softmax:
      return std::make_unique<Softmax>(
          comm, graph, model.dim,
          SoftmaxOptions{.temperature = train.temperature,
                         .batch = train.batch,
                         .degree_power = train.pair_weight == PairWeight::equal ? 0.0 : 0.5,
                         .seed = static_cast<std::uint64_t>(train.seed)},
          threads);
  }
  COHORT_CHECK(false, "a loss that has no case");
  return nullptr;
}

}  // namespace cohort
