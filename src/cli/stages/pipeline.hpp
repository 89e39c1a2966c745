// The stages one after the other, as `run` chains them in memory and as the stage commands run them between files. Each
// takes what the stage before left, logs what it did, and records how long each rank took. All of them are collective
// and throw InputError or RunError, the same on all ranks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "graph/block_graph.hpp"
#include "graph/shard_graph.hpp"
#include "ingest/records/attribute_file.hpp"
#include "model/node_features.hpp"
#include "partition/partition.hpp"
#include "recommend/recommendation.hpp"
#include "store/graph_file.hpp"
#include "store/model_file.hpp"
#include "store/segments_file.hpp"
#include "train/positives.hpp"

namespace cohort {

/// Reads and cleans the input files; logs how each is read before it is, and what is left of them.
GraphFile prepare_graph(const Session& session);

/// The same for a look at the input alone: the counts of what was read, what was dropped and what is left, as text.
std::string describe_input(const Session& session);

/// Joins users by what they share, for graph.kind = "user": fills dataset.neighbours; logs what took no part.
void join_users(const Session& session, Dataset& dataset);

/// The pairs that training draws together: interactions, or where items are no nodes the edges of the graph.
Positives training_pairs(const Session& session, const Dataset& dataset, const ShardedGraph& sharded);

/// What a network reads of the nodes: the features of the dataset, scaled as [input] says; none where it has none.
NodeFeatures network_input(const Session& session, const Dataset& dataset, const ShardedGraph& sharded);

/// Rows for this rank's items where these are no nodes: the sum of the rows of their users over the root of their
/// number, as a layer of LightGCN has it. users: rows of this rank's block.
Matrix items_among_users(const Session& session, const Dataset& dataset, ConstMatrixView users);

/// The graph of a dataset, as the configuration wants it.
BlockGraph graph_of(const Session& session, const Dataset& dataset);

/// Cuts the graph into shards; fills graph.partition. Returns what the partition is like.
PartitionStats partition_graph(const Session& session, const BlockGraph& blocks, GraphFile& graph);

/// Brings every shard to its rank.
ShardedGraph shard_graph(const Communicator& comm, const BlockGraph& blocks, const StoredPartition& partition);

/// What training makes: up to which epoch, within which time, and the file that keeps it (and its checkpoints).
struct TrainTarget {
  std::string path;
  std::int64_t epochs = 0;
  double minutes = 0;    ///< 0: as long as it takes
  bool derived = false;  ///< made for a later stage's sake: where its file does not fit, it is made anew
  std::optional<CandidateTable> choice = std::nullopt;  ///< with what; none: it is yet to be chosen
};
/// model.h5 as the configuration wants it.
TrainTarget model_target(const Session& session, const Dataset& dataset);

/// A model of that graph with everything but what is learnt.
ModelFile empty_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded);

/// Trains from the start, or goes on from what cli/checkpoints.hpp finds (with as many epochs or more: nothing is left
/// to do). Checkpoints go to the target's file; the result is not written yet.
ModelFile train_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded,
                      const TrainTarget& target);

/// The embedding of model.encoder = "spectral", which nothing trains, as train_model leaves it: no epochs and no loss.
ModelFile spectral_model(const Session& session, const GraphFile& graph, const ShardedGraph& sharded,
                         const TrainTarget& target);

/// What new users are folded in with; nullopt where the graph has no items, or a network
/// made the embedding, which is no mean of neighbours' rows. segments: the embedding of the users.
std::optional<FoldInTable> fold_in_table(const Session& session, const GraphFile& graph, const ShardGraph& sharded,
                                         const ModelFile& model, const Segments& segments);

/// Clusters the users by the model's embedding into `count` segments, whatever the configuration says of count and
/// previous: all of the result but map and loss.
Segments cluster_users(const Session& session, const Dataset& dataset, const ShardGraph& sharded,
                       const ModelFile& model, std::int64_t count);

/// Clusters the users; what is made of it beside. `model`: embedding and parameters.
SegmentsFile segment_users(const Session& session, const GraphFile& graph, const ShardGraph& sharded,
                           const ModelFile& model);

/// What `run` leaves in memory.
struct RunResult {
  GraphFile graph;
  SegmentsFile segments;
};

/// All stages, from memory to memory; writes graph.h5, model.h5 and segments.h5. Profiles are part of it, and
/// recommendations where there are items. level: as recommend_items has it.
RunResult run_pipeline(const Session& session, std::int64_t level = 0);

/// The tables of attributes that the configuration names; none where it names none or the graph has no such nodes.
struct AttributeTables {
  std::optional<AttributeTable> items;
  std::optional<AttributeTable> users;
};
AttributeTables read_attribute_tables(const Session& session, const Dataset& dataset);

/// Of this rank's items: which recommend.allowed_items lists; empty where it is not set. Throws InputError also where
/// none of them has the training users that recommend.min_support wants.
std::vector<char> read_allowed_items(const Session& session, const Dataset& dataset);

/// The users of a result with what they had, as recommendations are made from them. Views of both. Local.
Population population_of(const Dataset& dataset, const SegmentsFile& result, bool spherical);

/// Trains a second embedding, from the start and with the epochs and settings of the one of `result`, on the graph
/// without the interactions that hold_back draws, and clusters its users: what the strategy and its weights are chosen
/// with.
/// It is kept in validation.h5, so that an interrupted training goes on and a finished one is not repeated. Costs what
/// training costs. Throws InputError where the graph has no partition.
Validation learn_validation(const Session& session, const GraphFile& graph, const SegmentsFile& result);

/// The graph of some of the dataset's interactions alone, on the shards of the partition: what filter and hybrid smooth
/// over. interactions: a row for each of this rank's users. Throws InputError where the graph has no partition.
FilterGraph filter_graph_of(const Communicator& comm, const Config& config, const GraphFile& graph,
                            const PairTable& interactions);

/// Whether filter and hybrid take no more than filter_limit; where they do, it is said.
bool filter_is_cheap(const Communicator& comm, const Dataset& dataset);

/// What to recommend to the users and segments of `result`, found on `graph`, as [recommend] wants it; fills
/// result.recommendations. allowed: as read_allowed_items returns it. level: of nested segments, counted from 1, whose
/// taste the users' lists know where their strategy looks at segments; 0: the finest. Segments of all levels get lists.
void recommend_items(const Session& session, const GraphFile& graph, std::span<const char> allowed,
                     SegmentsFile& result, std::int64_t level = 0);

/// Fills segments.profiles, from the graph, what it holds out, and the attributes.
void profile_result(const Session& session, const GraphFile& graph, const AttributeTables& attributes,
                    SegmentsFile& segments);

void write_graph(const Session& session, const GraphFile& graph);
void write_model(const Session& session, const ModelFile& model, const std::string& path);
void write_segments(const Session& session, const SegmentsFile& segments);

/// graph.h5 of the output directory. Throws InputError also where it was made with other settings than the
/// configuration's, or, if `partitioned`, where it has no partition.
GraphFile load_graph(const Session& session, bool partitioned);
/// A model file, which must have been trained on that graph with the configuration's settings.
ModelFile load_model(const Session& session, const GraphFile& graph, const std::string& path, ModelPart part);
/// segments.h5 of the output directory, which must have been made from that graph with the configuration's settings.
SegmentsFile load_segments(const Session& session, const GraphFile& graph);
}  // namespace cohort
