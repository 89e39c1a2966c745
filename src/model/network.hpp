// Graph neural networks with weights: GCN (Kipf and Welling 2017, arXiv:1609.02907) and GraphSAGE with the mean
// aggregator (Hamilton et al. 2017, arXiv:1706.02216), and their backward pass. An encoder.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/shard_sum.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "core/parallel.hpp"
#include "kernels/spmm.hpp"
#include "model/encoder.hpp"
#include "model/outside_nodes.hpp"
#include "model/propagation.hpp"
#include "model/weights.hpp"

namespace cohort {

struct NetworkOptions {
  EncoderKind kind = EncoderKind::gcn;
  std::vector<std::int64_t> hidden;  ///< columns of the layers between input and embedding
  Activation activation = Activation::relu;
  int smoothings = 0;  ///< products with Ahat of the rows of length 1, of what forward(base) returns
  std::uint64_t seed = 42;
};

/// H' = sigma(Ahat H W), Ahat = D^-1/2 (A + I) D^-1/2 with D the degrees of A + I (gcn), or
/// H' = sigma(H W_self + D^-1 A H W_mean) (sage: the concatenation of both times one matrix); no sigma after the last
/// layer. A has the graph's weights; the I weighs 1. H is layer 0's rows, or, with features, those: a row without any
/// is the unit vector of a column of its own, so that it learns a row of W. Every layer takes the cheaper of (A H) W
/// and A (H W).
class Network final : public Encoder {
 public:
  /// Embeddings have the propagation's columns; so has layer 0. Throws RunError where the memory is not there.
  /// Collective.
  Network(const Communicator& comm, Propagation& propagation, const NetworkOptions& options,
          const InputFeatures& features);

  std::span<Weight> weights() override { return weights_; }
  std::span<const Matrix> weight_gradients() const override { return gradients_; }
  void look(int view, const Corruption& corruption) override;
  void turn_to(int view) override { slot_ = static_cast<std::size_t>(view); }
  void forward(HaloMatrix& base, const RowSelection& rows, MatrixView out) override;
  ConstMatrixView forward(HaloMatrix& base) override;
  /// What forward(base) returns of the graph without the edges between `node` and `others` (ascending; those that are
  /// no neighbours of it do not matter), degrees and all; valid until the next call. Collective.
  ConstMatrixView forward_without(HaloMatrix& base, NodeId node, std::span<const NodeId> others);
  /// What nodes that the graph does not have take from it. by_items: their neighbours may be items, so that nodes of
  /// their own kind are two edges away. files: those of users' features that the network reads. Collective.
  GraphRows rows_for_outside(HaloMatrix& base, bool by_items, std::span<const FeatureColumns> files);
  /// Rows of what forward(base) returns for such nodes; the graph stays as it is. `rows`: of the same weights, by_items
  /// as the nodes' neighbours are. Collective where nodes.gather is.
  Matrix outside(const GraphRows& rows, const OutsideNodes& nodes) const;
  void backward(const SparseGradient& gradient, const GradientSink& sink) override;
  std::int64_t bytes_sent() const override;
  double waiting_seconds() const override;

 private:
  struct Layer {
    std::int64_t in;
    std::int64_t out;
    bool product_first;  ///< A (H W)
    std::size_t weight;  ///< number of W, or W_mean; W_self is the next one
  };
  /// What mixes a row with its neighbours: out = after * (W + I?) before.
  struct Mixing {
    std::span<const float> value;   ///< by entry
    bool loops;                     ///< I weighs 1
    std::span<const float> before;  ///< by owned row; empty: 1
    std::span<const float> after;
  };
  /// What backward() needs of a view's forward().
  struct Slot {
    std::vector<float> value;          ///< by entry, 0: dropped; empty: none is
    std::vector<float> scale;          ///< by owned row: of the degree that is left
    std::vector<char> dropped_column;  ///< of the input; empty: none is
    std::vector<Matrix> first_weight;  ///< those of the first layer, without the rows of dropped columns
    std::vector<Matrix> result;        ///< by layer: what the next one reads
    std::vector<Matrix> mixed;         ///< by layer: A H, where that comes first
  };
  /// Propagation between matrices of one width; two of them in turn, so that neighbours may still read the other.
  struct Lane {
    Propagation* propagation = nullptr;
    std::unique_ptr<Propagation> own;
    HaloMatrix buffer[2];
    int last = 0;
  };
  using Rows = Propagation::Rows;

  bool is_sage() const { return options_.kind == EncoderKind::sage; }
  Mixing mixing(const Slot& slot, bool backward) const;
  Matrix rows_for_means(ConstMatrixView rows, bool by_items);
  Matrix projected_columns(const FeatureColumns& file, const Matrix& weight) const;
  Matrix scaled_before(const Mixing& mixing, ConstMatrixView rows) const;
  Matrix mean_outside(const OutsideNodes& nodes, const Matrix& rows) const;
  Matrix project_outside(const GraphRows& rows, const OutsideNodes& nodes, std::size_t which) const;
  Matrix mix_outside(const OutsideNodes& nodes, const Matrix& rows, bool loops, Matrix own) const;
  const Matrix& weight(const Slot& slot, std::size_t layer, std::size_t which) const;
  /// Calls work(first row, rows) for each shard.
  template <class Work>
  void by_shard(Work work) const {
    for_each_in_parallel(shards_, threads_, [&](std::int64_t shard) {
      const auto k = static_cast<std::int32_t>(shard);
      const auto first = graph_.shard_first_row(comm_.rank(), k);
      const auto count = graph_.shard_first_row(comm_.rank(), k + 1) - first;
      if (count > 0) work(first, count);
    });
  }
  void keep_weights();
  void keep_features(const InputFeatures& features);
  void make_layers();
  void drop(Slot& slot, const Corruption& corruption);
  void scale_by_degree(std::span<const float> value, bool sage, std::vector<float>& scale) const;
  void mix(const Mixing& mixing, ConstMatrixView in, MatrixView out);
  /// out = in times the weight, or its transpose.
  void multiply(ConstMatrixView in, const Matrix& weight, bool transposed, MatrixView out) const;
  void multiply_input(ConstMatrixView base, std::size_t layer, const Matrix& weight, MatrixView out) const;
  void add(ConstMatrixView addend, MatrixView out) const;
  void activate(MatrixView rows) const;
  ConstMatrixView run_layer(Slot& slot, std::size_t l, ConstMatrixView in);
  ConstMatrixView run(Slot& slot, ConstMatrixView base);
  static void to_direction(const float* row, float* out, std::int64_t stride);
  /// Into smooth_: the rows' directions.
  void keep_directions(ConstMatrixView result);
  /// result: of run(). value: by entry; scale: by owned row, of the degree that these leave.
  ConstMatrixView smoothed(ConstMatrixView result, std::span<const float> value, std::span<const float> scale);
  void add_weight_gradient(const Slot& slot, std::size_t number, ConstMatrixView left, ConstMatrixView right);
  void start_gradient(const SparseGradient& gradient, MatrixView out) const;

  const Communicator& comm_;
  const ShardGraph& graph_;
  Propagation& propagation_;
  NetworkOptions options_;
  ShardSum shard_sum_;
  int threads_;
  std::int64_t shards_;
  std::vector<Layer> layers_;
  std::vector<Weight> weights_;
  std::vector<Matrix> gradients_;
  std::map<std::int64_t, Lane> lanes_;  ///< by columns

  std::vector<float> value_;          ///< by entry: the graph's weights
  std::vector<float> plain_scale_;    ///< by owned row: D^-1/2 of A + I
  std::vector<LocalRow> owned_;       ///< all owned rows
  std::int64_t feature_columns_ = 0;  ///< 0: layer 0's rows are the input
  std::int64_t given_columns_ = 0;    ///< without those that stand for what a node lacks
  std::vector<std::int64_t> feature_begin_;
  std::vector<LocalRow> feature_column_;
  std::vector<float> feature_value_;

  std::vector<Slot> slots_;
  std::size_t slot_ = 0;
  ConstMatrixView input_;                   ///< layer 0's rows of the last forward()
  std::map<std::int64_t, Matrix> product_;  ///< by columns: what mix() reads or has written
  std::map<std::int64_t, Matrix> own_;      ///< by columns: what W_self adds
  std::vector<Matrix> by_result_;           ///< by layer: the gradient by its result
  Matrix by_input_;                         ///< and by layer 0
  Matrix smooth_;
  std::vector<OuterProducts> outer_;  ///< by thread
};

}  // namespace cohort
