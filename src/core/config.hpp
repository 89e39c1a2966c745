// The configuration of a run: plain structs with every default, bound to TOML in config_schema.cpp (one list of keys,
// used for reading, for --set, for "did you mean", and for writing the whole configuration into a result).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort {

/// Which interactions are held out: of each user's, seeded, or the latest of all.
enum class HoldoutSplit { random, temporal };

/// How the numbers of a file of features are made comparable; automatic: as model/node_features.hpp says.
enum class FeatureScaling { automatic, none, sum, length, columns };

/// How the files are written: input.format; automatic: told by their first lines. ingest/records/file_layout.hpp says
/// what each is.
enum class InputFormat { automatic, tsv, csv, ssv, ml, inter, lightgcn, json };

/// What input.time_unit says numbers in time columns are; automatic: told by their size, file by file.
enum class TimeUnit { automatic, seconds, milliseconds, microseconds };

/// What input.date_order says of dates such as 11/1/2000; automatic: told by all dates of a file.
enum class DateOrder { automatic, month_first, day_first };

struct InputConfig {
  std::vector<std::string> interactions;  ///< files; a string or an array of strings in TOML
  std::vector<std::string> social;
  std::vector<std::string> test;  ///< held-out interactions, for evaluate
  InputFormat format = InputFormat::automatic;
  std::string separator = "auto";  ///< of columns: one character, "::", or "auto", it is told
  std::string encoding = "auto";   ///< as iconv names it; auto: UTF-8, or UTF-16 or 32 where the file's mark says so
  TimeUnit time_unit = TimeUnit::automatic;
  DateOrder date_order = DateOrder::automatic;
  std::optional<bool> header;  ///< whether the files' first lines are headers; none: "auto", it is told
  /// (role, column name or index from 0); roles: user, item, weight, time, event, split; for social files source,
  /// target, weight.
  std::vector<std::pair<std::string, std::string>> columns;
  double holdout = 0.0;  ///< share of the interactions held out for evaluate; 0: none
  HoldoutSplit holdout_split = HoldoutSplit::random;
  std::int64_t holdout_last = 0;  ///< the latest interactions of each user, held out; 0: none
  std::string item_attributes;    ///< a table of items (ingest/attribute_file.hpp); empty: none
  std::string user_attributes;
  std::vector<std::string> user_features;  ///< what a network reads of users (ingest/features/feature_files.hpp)
  std::vector<std::string> item_features;
  std::string user_feature_ids;  ///< whose the rows of arrays are, one id a line; empty: in the order of the ids
  std::string item_feature_ids;
  std::vector<FeatureScaling> user_feature_scaling{FeatureScaling::automatic};  ///< one for all files, or one each
  std::vector<FeatureScaling> item_feature_scaling{FeatureScaling::automatic};
};

/// What becomes of users who have friends and no interactions.
enum class SocialOnlyUsers { keep, drop };

/// What the weight of several records of one user and item is.
enum class Repeats { sum, last, first, max, mean, count };
/// What becomes of records without a user, an item or a weight, or with a negative weight.
enum class Incomplete { error, drop };

struct CleanConfig {
  SocialOnlyUsers social_only_users = SocialOnlyUsers::keep;
  std::int64_t min_user_interactions = 1;
  std::int64_t min_item_interactions = 1;
  std::int64_t max_user_interactions = 0;  ///< 0: no cap
  double max_bad_lines = 0;                ///< below 1: a share of all lines
  Repeats repeats = Repeats::sum;
  Incomplete incomplete = Incomplete::error;
};

/// What a record's weight w becomes as the weight of an edge: 1, ln(1 + w), or w.
enum class EdgeWeighting { binary, log, raw };
inline constexpr std::array<std::string_view, 3> edge_weighting_words{"binary", "log", "raw"};
inline std::string_view word_of(EdgeWeighting weighting) {
  return edge_weighting_words.at(static_cast<std::size_t>(weighting));
}

/// What the nodes are: users and items, or users joined by what they share.
enum class GraphKind { bipartite, user };
/// Of users, by what they share.
enum class UserSimilarity { cosine, count };

struct GraphConfig {
  GraphKind kind = GraphKind::bipartite;
  UserSimilarity similarity = UserSimilarity::cosine;
  std::int64_t neighbours = 50;     ///< most similar users that each is joined with
  std::int64_t max_item_users = 0;  ///< items with more users join nobody; 0: "auto"
  EdgeWeighting weight = EdgeWeighting::binary;
  double min_weight = 0.0;  ///< records below (after the event's weight) are dropped; 0: none
  /// (event, factor of its records' weights), by name; 0: such records are dropped; empty: events are not looked at.
  std::vector<std::pair<std::string, double>> event_weights;
  double half_life = 0.0;      ///< days in which an interaction's weight halves; 0: it does not
  double social_weight = 1.0;  ///< weight of a social edge of weight 1 against an interaction of weight 1
};

enum class PartitionTool { metis, random, block, file };
inline constexpr std::array<std::string_view, 4> partition_tool_words{"metis", "random", "block", "file"};
/// What METIS makes small: the weight of cut edges, or the rows that a halo exchange moves.
enum class CutObjective { cut, volume };
inline constexpr std::array<std::string_view, 2> cut_objective_words{"cut", "volume"};

inline std::string_view word_of(PartitionTool tool) {
  return partition_tool_words.at(static_cast<std::size_t>(tool));
}
inline std::string_view word_of(CutObjective objective) {
  return cut_objective_words.at(static_cast<std::size_t>(objective));
}

struct PartitionConfig {
  std::int64_t shards = 0;  ///< 0: "auto"
  PartitionTool tool = PartitionTool::metis;
  CutObjective objective = CutObjective::cut;
  std::string file;  ///< a METIS .part file to read, for tool = "file"
};

enum class EncoderKind {
  automatic,  ///< gcn where there are features; else spectral where no items are nodes, else lightgcn
  lightgcn,
  spectral,
  gcn,
  sage,
};

/// Between the layers of gcn and sage; automatic: selu where there are features, else relu.
enum class Activation { automatic, relu, selu };
/// Of ModelConfig::edge_dropout, column_dropout and smoothings, and of TrainConfig::decay.
constexpr int automatic_share = -1;

/// Of ModelConfig::layers before parse_config has settled it.
constexpr std::int64_t automatic_layers = -1;
/// Of ModelConfig::dim: by the size of the graph (train/choices.hpp) where softmax trains LightGCN, else 64.
constexpr std::int64_t automatic_dim = 0;
constexpr std::int64_t usual_dim = 64;

struct ModelConfig {
  EncoderKind encoder = EncoderKind::automatic;
  std::int64_t layers = automatic_layers;  ///< auto: 2 with softmax, 3 with bpr; of networks one more than widths
  std::int64_t dim = automatic_dim;        ///< columns of the embedding
  // Of gcn and sage.
  std::vector<std::int64_t> widths;  ///< columns of the hidden layers; empty: "auto", dim each, or 256 with features
  Activation activation = Activation::automatic;
  double edge_dropout = automatic_share;      ///< share of the edges that a view leaves out
  double column_dropout = automatic_share;    ///< share of the input's columns that a view leaves out
  std::int64_t smoothings = automatic_share;  ///< of the embedding, by the graph
};

/// automatic: softmax, or bpr where no items are nodes, or a budget of time or the authors' sampler is set, which
/// softmax has not; settled by parse_config.
/// Networks: ns4gc where there are features, else softmax, but where there is a budget of time.
/// dmon: modularity of soft segments, of Tsitsulin et al. (2020).
enum class LossKind { automatic, bpr, softmax, ns4gc, dmon };
/// What a pair weighs in softmax: all alike, or its user's degree^-1/2.
enum class PairWeight { automatic, equal, degree };
/// Of TrainConfig::length_power.
constexpr double automatic_power = -1;
/// What training starts from; automatic: spectral with softmax, random with bpr.
enum class StartKind { automatic, random, spectral };
enum class SamplerKind {
  interactions,  ///< each once an epoch
  lightgcn,      ///< users drawn with replacement
};

struct TrainConfig {
  LossKind loss = LossKind::automatic;
  SamplerKind sampler = SamplerKind::interactions;
  StartKind start = StartKind::automatic;
  std::int64_t epochs = 0;     ///< 0: "auto", as train/choices.hpp says, and so for the three below
  std::int64_t steps = 0;      ///< of a loss that plans its steps, where epochs is "auto"
  std::int64_t batch = 0;      ///< triples (bpr) or users (softmax) a step
  double learning_rate = 0.0;  ///< of Adam
  // Of softmax. What is "auto" is chosen on held-back interactions (cli/stages/choice_stage.hpp).
  double temperature = 0.0;  ///< cosines are divided by it; 0: "auto"
  PairWeight pair_weight = PairWeight::automatic;
  double length_power = automatic_power;  ///< items are ranked by their length to this power times the cosine
  double decay = automatic_share;         ///< auto: 1e-4 on the rows of a step (bpr), 1e-5 on weights
  double minutes = 0.0;                   ///< time budget; 0: none
  std::int64_t seed = 42;
  std::int64_t checkpoint_every = 10;  ///< epochs
  double checkpoint_minutes = 10.0;    ///< 0: not by time
  bool joint = false;                  ///< whether centres are trained with rows and weights in a last phase
  std::string initial;  ///< model.h5 of a run whose rows, weights and centres training starts from; empty: none
};

/// automatic: spherical where training is by cosine, else kmeans.
enum class ClusterMethod { automatic, kmeans, spherical };

/// Of SegmentConfig::count.
constexpr std::int64_t automatic_count = 0;

struct SegmentConfig {
  std::int64_t count = 20;  ///< automatic_count: chosen between the two below, which only then have effect
  std::int64_t count_min = 2;
  std::int64_t count_max = 64;
  std::vector<std::int64_t> levels;  ///< numbers of segments, ascending, each level inside the one before; empty: one
  std::string previous;              ///< segments.h5 whose numbers matched segments keep; empty: none
  double stickiness = 0.0;           ///< share by which another centre must be nearer before a user leaves `previous`
  ClusterMethod method = ClusterMethod::automatic;
  std::int64_t restarts = 4;  ///< n_init: the run of lowest inertia is kept
  std::int64_t max_iterations = 100;
  double tolerance = 1e-4;  ///< stop when inertia falls by less than this share in an iteration

  friend bool operator==(const SegmentConfig&, const SegmentConfig&) = default;
};

/// What items are ranked by. automatic: chosen on held-back interactions; itemcf is measured only
/// (evaluate/item_neighbours.hpp), nothing is recommended by it.
enum class Strategy { automatic, global, segment, personal, blend, filter, hybrid, itemcf };

struct RecommendConfig {
  Strategy strategy = Strategy::automatic;
  std::int64_t count = 20;       ///< items a user and a segment
  std::int64_t min_support = 0;  ///< training users that an item needs
  std::string allowed_items;     ///< a file of item ids, one a line, gzip or not; empty: all
  bool novel = false;            ///< segments' lists without what more than half of the segment's users have
};

struct EvaluateConfig {
  std::vector<std::int64_t> k{20};  ///< cut-offs of the ranking measures
};

struct ProfileConfig {
  std::int64_t top = 10;               ///< items, and categories of each attribute, listed for a segment
  double false_discovery_rate = 0.05;  ///< of those called marking, in each family of tests
  std::int64_t min_users = 5;          ///< users of a segment that must have an item for it to be listed
};

struct OutputConfig {
  std::string directory = "run";
  double stall_minutes = 10.0;  ///< a file call that moves no byte for so long ends the run; 0: none does
};

struct Config {
  InputConfig input;
  CleanConfig clean;
  GraphConfig graph;
  PartitionConfig partition;
  ModelConfig model;
  TrainConfig train;
  SegmentConfig segment;
  RecommendConfig recommend;
  ProfileConfig profile;
  EvaluateConfig evaluate;
  OutputConfig output;
  std::int64_t threads = 0;  ///< a rank; 0: OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else 1
};

/// Whether the graph has nodes that are items. Local.
inline bool items_are_nodes(const Config& config) {
  return !config.input.interactions.empty() && config.graph.kind != GraphKind::user;
}

/// Whether there is anything for a network to read but learned rows. Local.
inline bool has_features(const Config& config) {
  return !config.input.user_features.empty() || !config.input.item_features.empty();
}

/// Reads TOML text. `name` (a path) goes into messages; relative paths inside are taken from `directory`. `overrides`
/// are "section.key=value" as given to --set, applied in order. Throws InputError: syntax (file:line), an unknown key
/// (names the nearest), a wrong type, a value out of range (says the range), no input. `preset` names settings
/// (core/presets.hpp) that come before the text's; empty: none. Local.
Config parse_config(std::string_view text, const std::string& name, const std::string& directory,
                    const std::vector<std::string>& overrides, const std::string& preset = "");

/// The whole configuration as TOML, every key, in the schema's order; parse_config reads it back to an equal Config.
std::string to_toml(const Config& config);

}  // namespace cohort
