// Graph neural networks with weights: GCN (Kipf and Welling 2017, arXiv:1609.02907) and GraphSAGE with the mean
// aggregator (Hamilton et al. 2017, arXiv:1706.02216), and their backward pass. An encoder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/shard_sum.hpp"
#include "core/config.hpp"
#include "core/matrix.hpp"
#include "core/parallel.hpp"
#include "kernels/scores.hpp"
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
    std::vector<float> scale;          ///< by owned row: of the degree that is left; empty: all is
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
  /// A weight of a layer as what multiplies by it reads it.
  struct Product {
    const Matrix* weight;
    PackedRows packed;  ///< of its columns; empty for sparse features
  };
  using Rows = Propagation::Rows;

  static constexpr std::int64_t block_floats = 32768;

  bool is_sage() const { return options_.kind == EncoderKind::sage; }
  Mixing mixing(const Slot& slot, bool backward) const;
  Matrix rows_for_means(ConstMatrixView rows, bool by_items);
  Matrix projected_columns(const FeatureColumns& file, const Matrix& weight) const;
  Matrix mean_outside(const OutsideNodes& nodes, const Matrix& rows) const;
  Matrix project_outside(const GraphRows& rows, const OutsideNodes& nodes, std::size_t which) const;
  Matrix mix_outside(const OutsideNodes& nodes, const Matrix& rows, bool loops, Matrix own) const;
  const Matrix& weight(const Slot& slot, std::size_t layer, std::size_t which) const;
  /// Calls work(first row, rows) for each shard.
  template <class Work>
  void by_shard(Work work) const {
    for_each_in_parallel(shards_, threads_, [&](std::int64_t shard) {
      const auto [first, last] = rows_of(shard);
      if (first < last) work(first, last - first);
    });
  }
  /// Rows of so many columns that a thread takes at a time: they stay in its cache from one step to the next.
  static std::int64_t rows_at_a_time(std::int64_t columns) {
    return std::max<std::int64_t>(block_floats / padded_stride(columns), 16);
  }
  /// The same for the rows [first, first + rows), block by block.
  template <class Work>
  static void in_blocks(std::int64_t first, std::int64_t rows, std::int64_t columns, Work work) {
    const auto most = rows_at_a_time(columns);
    for (std::int64_t done = 0; done < rows; done += most) work(first + done, std::min(most, rows - done));
  }
  template <class Work>
  void by_block(std::int64_t columns, Work work) const {
    by_shard([&](std::int64_t first, std::int64_t rows) { in_blocks(first, rows, columns, work); });
  }
  /// out(row) = what `mixing` makes of the lane's rows, which have been scaled before; then finish(first row, rows) of
  /// those that are done and follow each other. Collective.
  template <class Finish>
  void propagate(const Mixing& mixing, HaloMatrix& halo, MatrixView out, Finish finish) {
    auto& propagation = *lanes_.at(halo.columns()).propagation;
    const auto entries = entries_of(propagation, mixing);
    propagation.over(halo, propagation.all_rows(), [&](Rows part, std::int64_t /*place*/) {
      in_blocks(0, std::ssize(part), halo.columns(), [&](std::int64_t begin, std::int64_t count) {
        const auto block = part.subspan(begin, count);
        spmm(entries, block, halo.view(), own_rows(mixing, halo), mixing.after, out);
        for (std::int64_t i = 0; i < count;) {
          const std::int64_t first = block[i].value;
          std::int64_t rows = 0;
          while (i < count && block[i].value == first + rows) ++i, ++rows;
          finish(first, rows);
        }
      });
    });
  }
  void keep_weights();
  void keep_features(const InputFeatures& features);
  void make_layers();
  void drop(Slot& slot, const Corruption& corruption);
  void scale_by_degree(std::span<const float> value, bool sage, std::vector<float>& scale) const;
  std::pair<std::int64_t, std::int64_t> rows_of(std::int64_t shard) const;
  /// The buffer of the lane's next propagation; nobody reads it any more.
  HaloMatrix& next_buffer(std::int64_t columns);
  /// And the one of the last: what has been mixed, scaled before.
  ConstMatrixView last_mixed(std::int64_t columns) const;
  SparseRows entries_of(const Propagation& propagation, const Mixing& mixing) const;
  static ConstMatrixView own_rows(const Mixing& mixing, const HaloMatrix& halo);
  /// Rows of `out`, the first of which is owned row `first`, times their factors; none: 1.
  static void scale(std::span<const float> factor, std::int64_t first, MatrixView out);
  /// `rows` rows for a thread alone; which: 0 or 1.
  MatrixView scratch(int which, std::int64_t rows, std::int64_t columns) const;
  void mix(const Mixing& mixing, ConstMatrixView in, MatrixView out);
  /// What layer l reads, times the weight: `count` rows from `first` on.
  void multiply_input(ConstMatrixView in, std::size_t l, const Product& product, std::int64_t first,
                      MatrixView out) const;
  void add_product(ConstMatrixView in, std::size_t l, const Product& product, std::int64_t first, MatrixView out) const;
  Product product_with(const Slot& slot, std::size_t l, std::size_t which) const;
  void activate(MatrixView rows) const;
  /// Fills the next buffer with what layer l mixes, scaled before.
  HaloMatrix& fill(const Slot& slot, std::size_t l, ConstMatrixView in);
  ConstMatrixView run_layer(Slot& slot, std::size_t l, ConstMatrixView in);
  /// The last layer's results of `rows` alone, which mixes last.
  void run_last_layer(Slot& slot, ConstMatrixView in, const RowSelection& rows, MatrixView out);
  ConstMatrixView run(Slot& slot, ConstMatrixView base);
  static void to_direction(const float* row, float* out, std::int64_t stride);
  /// Into smooth_: the rows' directions.
  void keep_directions(ConstMatrixView result);
  /// result: of run(). value: by entry; scale: by owned row, of the degree that these leave.
  ConstMatrixView smoothed(ConstMatrixView result, std::span<const float> value, std::span<const float> scale);
  /// Adds left' right, by shard; then calls next(first row, rows) of the shard, whose rows are still in the cache.
  template <class Next>
  void add_weight_gradient(const Slot& slot, std::size_t number, ConstMatrixView left, ConstMatrixView right,
                           Next next);
  void add_feature_products(std::int64_t first, std::int64_t last, ConstMatrixView right, std::span<double> sum) const;
  ConstMatrixView start_gradient(const SparseGradient& gradient);
  /// Rows of the gradient by layer l's input become those by what is before the activation, or go to the sink.
  void hand_on(std::size_t l, ConstMatrixView in, std::int64_t first, MatrixView rows, const GradientSink& sink) const;

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
  std::vector<float> mean_scale_;     ///< for sage: D^-1 of A
  std::vector<LocalRow> owned_;       ///< all owned rows
  std::int64_t feature_columns_ = 0;  ///< 0: layer 0's rows are the input
  std::int64_t given_columns_ = 0;    ///< without those that stand for what a node lacks
  std::vector<std::int64_t> feature_begin_;
  std::vector<LocalRow> feature_column_;
  std::vector<float> feature_value_;

  std::vector<Slot> slots_;
  std::size_t slot_ = 0;
  ConstMatrixView input_;                      ///< layer 0's rows of the last forward()
  std::map<std::int64_t, Matrix> by_product_;  ///< by columns: the gradient by H W
  std::vector<Matrix> by_result_;              ///< by layer: the gradient by its result
  Matrix by_input_;                            ///< and by layer 0, where it comes of mixing
  Matrix smooth_;
  mutable std::vector<Matrix> scratch_;  ///< by thread
};

}  // namespace cohort
