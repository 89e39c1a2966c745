#include "core/config_schema.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();
constexpr double any_size = std::numeric_limits<double>::max();
constexpr double tiny = std::numeric_limits<double>::min();

// Every member is reached through one of these, so that the list below reads as a table.
#define COHORT_MEMBER(member)    \
  [](Config & config) -> auto& { \
    return config.member;        \
  }

// The same for a member that is an enumeration.
#define COHORT_WORD(member)                                               \
  [](Config& config) { return static_cast<std::size_t>(config.member); }, \
      [](Config& config, std::size_t place) { config.member = static_cast<decltype(config.member)>(place); }

// The same for a list of values of an enumeration.
#define COHORT_WORDS(member)                                                                  \
  [](Config& config) {                                                                        \
    std::vector<std::size_t> places;                                                          \
    for (const auto value : config.member) places.push_back(static_cast<std::size_t>(value)); \
    return places;                                                                            \
  },                                                                                          \
      [](Config& config, const std::vector<std::size_t>& places) {                            \
        config.member.clear();                                                                \
        for (const auto place : places) {                                                     \
          config.member.push_back(static_cast<decltype(config.member)::value_type>(place));   \
        }                                                                                     \
      }

std::vector<ConfigKey> make_schema() {
  return {
      {"", "threads", "threads of a rank, 0: from the environment", IntegerKey{COHORT_MEMBER(threads), 0, 4096}},

      {"input", "interactions", "files of interactions", PathsKey{COHORT_MEMBER(input.interactions)}},
      {"input", "social", "files of social edges", PathsKey{COHORT_MEMBER(input.social)}},
      {"input", "test", "files of held-out interactions", PathsKey{COHORT_MEMBER(input.test)}},
      {"input", "format", "how the files are written",
       WordKey{COHORT_WORD(input.format), {"auto", "tsv", "csv", "ssv", "ml", "inter", "lightgcn", "json"}}},
      {"input", "separator", "what stands between columns", TextKey{COHORT_MEMBER(input.separator)}},
      {"input", "encoding", "of text, as iconv names it", TextKey{COHORT_MEMBER(input.encoding)}},
      {"input", "time_unit", "of times that are numbers",
       WordKey{COHORT_WORD(input.time_unit), {"auto", "s", "ms", "us"}}},
      {"input", "date_order", "of dates such as 11/1/2000",
       WordKey{COHORT_WORD(input.date_order), {"auto", "mdy", "dmy"}}},
      {"input", "header", "whether the files' first lines name columns", SwitchKey{COHORT_MEMBER(input.header)}},
      {"input", "columns", "which column holds what, by name or index from 0",
       ColumnsKey{COHORT_MEMBER(input.columns),
                  {"user", "item", "weight", "time", "event", "split", "source", "target"}}},
      {"input", "holdout", "share of the interactions held out", RealKey{COHORT_MEMBER(input.holdout), 0, 0.9}},
      {"input", "holdout_split", "which interactions are held out",
       WordKey{COHORT_WORD(input.holdout_split), {"random", "temporal"}}},
      {"input", "holdout_last", "latest interactions of each user held out, 0: none",
       IntegerKey{COHORT_MEMBER(input.holdout_last), 0, 1'000'000}},
      {"input", "item_attributes", "a table of what items are", PathKey{COHORT_MEMBER(input.item_attributes)}},
      {"input", "user_attributes", "a table of what users are", PathKey{COHORT_MEMBER(input.user_attributes)}},
      {"input", "user_features", "files of what networks read of users", PathsKey{COHORT_MEMBER(input.user_features)}},
      {"input", "item_features", "files of what networks read of items", PathsKey{COHORT_MEMBER(input.item_features)}},
      {"input", "user_feature_ids", "whose the rows of arrays of user features are, one id a line",
       PathKey{COHORT_MEMBER(input.user_feature_ids)}},
      {"input", "item_feature_ids", "whose the rows of arrays of item features are, one id a line",
       PathKey{COHORT_MEMBER(input.item_feature_ids)}},
      {"input", "user_feature_scaling", "how the numbers of each file of user features are scaled",
       WordsKey{COHORT_WORDS(input.user_feature_scaling), {"auto", "none", "sum", "length", "columns"}}},
      {"input", "item_feature_scaling", "how the numbers of each file of item features are scaled",
       WordsKey{COHORT_WORDS(input.item_feature_scaling), {"auto", "none", "sum", "length", "columns"}}},

      {"clean", "social_only_users", "what becomes of users without interactions",
       WordKey{COHORT_WORD(clean.social_only_users), {"keep", "drop"}}},
      {"clean", "min_user_interactions", "k-core: least interactions of a user",
       IntegerKey{COHORT_MEMBER(clean.min_user_interactions), 0, unbounded}},
      {"clean", "min_item_interactions", "k-core: least interactions of an item",
       IntegerKey{COHORT_MEMBER(clean.min_item_interactions), 0, unbounded}},
      {"clean", "max_user_interactions", "a user above it counts as a bot, 0: no cap",
       IntegerKey{COHORT_MEMBER(clean.max_user_interactions), 0, unbounded}},
      {"clean", "max_bad_lines", "malformed lines tolerated, below 1: as a share",
       RealKey{COHORT_MEMBER(clean.max_bad_lines), 0, any_size}},
      {"clean", "repeats", "weight of several records of one pair",
       WordKey{COHORT_WORD(clean.repeats), {"sum", "last", "first", "max", "mean", "count"}}},
      {"clean", "incomplete", "records without a user, item or weight, or with a negative weight",
       WordKey{COHORT_WORD(clean.incomplete), {"error", "drop"}}},

      {"graph", "kind", "what the nodes are", WordKey{COHORT_WORD(graph.kind), {"bipartite", "user"}}},
      {"graph", "similarity", "of users, by what they share",
       WordKey{COHORT_WORD(graph.similarity), {"cosine", "count"}}},
      {"graph", "neighbours", "most similar users that a user is joined with",
       IntegerKey{COHORT_MEMBER(graph.neighbours), 1, 1'000'000}},
      {"graph", "max_item_users", "items with more users join nobody",
       IntegerKey{COHORT_MEMBER(graph.max_item_users), 1, unbounded, true}},
      {"graph", "weight", "edge weight of an interaction",
       WordKey{COHORT_WORD(graph.weight), {edge_weighting_words.begin(), edge_weighting_words.end()}}},
      {"graph", "min_weight", "weaker interactions are dropped, 0: none",
       RealKey{COHORT_MEMBER(graph.min_weight), 0, any_size}},
      {"graph", "event_weights", "factor of the weights of each event's records",
       FactorsKey{COHORT_MEMBER(graph.event_weights)}},
      {"graph", "half_life", "days in which a weight halves, 0: it does not",
       RealKey{COHORT_MEMBER(graph.half_life), 0, 1e6}},
      {"graph", "social_weight", "weight of a social edge against an interaction",
       RealKey{COHORT_MEMBER(graph.social_weight), 0, 1e6}},

      {"partition", "shards", "parts that the graph is cut into",
       IntegerKey{COHORT_MEMBER(partition.shards), 1, std::int64_t{1} << 30, true}},
      {"partition", "tool", "what cuts the graph",
       WordKey{COHORT_WORD(partition.tool), {partition_tool_words.begin(), partition_tool_words.end()}}},
      {"partition", "objective", "what METIS makes small",
       WordKey{COHORT_WORD(partition.objective), {cut_objective_words.begin(), cut_objective_words.end()}}},
      {"partition", "file", "a METIS .part file", PathKey{COHORT_MEMBER(partition.file)}},

      {"model", "encoder", "what makes the embedding",
       WordKey{COHORT_WORD(model.encoder), {"auto", "lightgcn", "spectral", "gcn", "sage"}}},
      {"model", "layers", "propagation layers, 0: matrix factorisation",
       IntegerKey{COHORT_MEMBER(model.layers), 0, 10, true, automatic_layers}},
      {"model", "dim", "columns of the embedding", IntegerKey{COHORT_MEMBER(model.dim), 1, 1024, true, automatic_dim}},
      {"model", "widths", "columns of a network's hidden layers",
       IntegersKey{COHORT_MEMBER(model.widths), 1, 4096, true}},
      {"model", "activation", "between a network's layers",
       WordKey{COHORT_WORD(model.activation), {"auto", "relu", "selu"}}},
      {"model", "edge_dropout", "share of the edges that a network's view leaves out",
       RealKey{COHORT_MEMBER(model.edge_dropout), 0, 0.95, true, automatic_share}},
      {"model", "column_dropout", "share of the input's columns that a network's view leaves out",
       RealKey{COHORT_MEMBER(model.column_dropout), 0, 0.95, true, automatic_share}},
      {"model", "smoothings", "products of a network's embedding with the graph before it is clustered",
       IntegerKey{COHORT_MEMBER(model.smoothings), 0, 100, true, automatic_share}},

      {"train", "loss", "what is minimised",
       WordKey{COHORT_WORD(train.loss), {"auto", "bpr", "softmax", "ns4gc", "dmon"}}},
      {"train", "sampler", "how triples are drawn", WordKey{COHORT_WORD(train.sampler), {"interactions", "lightgcn"}}},
      {"train", "start", "what training starts from",
       WordKey{COHORT_WORD(train.start), {"auto", "random", "spectral"}}},
      {"train", "epochs", "passes over the interactions (bpr) or users (softmax)",
       IntegerKey{COHORT_MEMBER(train.epochs), 1, 1'000'000, true}},
      {"train", "steps", "planned steps of softmax, where epochs is auto",
       IntegerKey{COHORT_MEMBER(train.steps), 1, 1'000'000'000, true}},
      {"train", "batch", "triples (bpr) or users (softmax) a step",
       IntegerKey{COHORT_MEMBER(train.batch), 1, std::int64_t{1} << 40, true}},
      {"train", "learning_rate", "of Adam", RealKey{COHORT_MEMBER(train.learning_rate), tiny, any_size, true}},
      {"train", "temperature", "of softmax: what cosines are divided by",
       RealKey{COHORT_MEMBER(train.temperature), 0.001, 1000, true}},
      {"train", "pair_weight", "of softmax: what a pair weighs",
       WordKey{COHORT_WORD(train.pair_weight), {"auto", "equal", "degree"}}},
      {"train", "length_power", "of softmax: power of an item's length that it is ranked by",
       RealKey{COHORT_MEMBER(train.length_power), 0, 1, true, automatic_power}},
      {"train", "decay", "L2 on the rows of a step, or on weights",
       RealKey{COHORT_MEMBER(train.decay), 0, any_size, true, automatic_share}},
      {"train", "minutes", "time budget, 0: none", RealKey{COHORT_MEMBER(train.minutes), 0, any_size}},
      {"train", "seed", "of every random number", IntegerKey{COHORT_MEMBER(train.seed), 0, unbounded}},
      {"train", "checkpoint_every", "epochs between checkpoints, 0: not by epochs",
       IntegerKey{COHORT_MEMBER(train.checkpoint_every), 0, 1'000'000}},
      {"train", "checkpoint_minutes", "minutes between checkpoints, 0: not by time",
       RealKey{COHORT_MEMBER(train.checkpoint_minutes), 0, any_size}},
      {"train", "joint", "whether centres are trained too, in a last phase", BooleanKey{COHORT_MEMBER(train.joint)}},
      {"train", "initial", "model.h5 that training starts from", PathKey{COHORT_MEMBER(train.initial)}},

      {"segment", "count", "segments looked for",
       IntegerKey{COHORT_MEMBER(segment.count), 1, 1'000'000, true, automatic_count}},
      {"segment", "count_min", "least number of segments where count is auto",
       IntegerKey{COHORT_MEMBER(segment.count_min), 2, 10'000}},
      {"segment", "count_max", "largest number of segments where count is auto",
       IntegerKey{COHORT_MEMBER(segment.count_max), 2, 10'000}},
      {"segment", "levels", "numbers of segments, each level inside the one before",
       IntegersKey{COHORT_MEMBER(segment.levels), 1, 1'000'000, false, true}},
      {"segment", "previous", "segments.h5 whose segments keep their numbers",
       PathKey{COHORT_MEMBER(segment.previous)}},
      {"segment", "stickiness", "gain below which a user stays in its previous segment",
       RealKey{COHORT_MEMBER(segment.stickiness), 0, 1}},
      {"segment", "method", "how users are clustered",
       WordKey{COHORT_WORD(segment.method), {"auto", "kmeans", "spherical"}}},
      {"segment", "restarts", "runs of which the best is kept", IntegerKey{COHORT_MEMBER(segment.restarts), 1, 1000}},
      {"segment", "max_iterations", "of k-means", IntegerKey{COHORT_MEMBER(segment.max_iterations), 1, 1'000'000}},
      {"segment", "tolerance", "least gain of an iteration", RealKey{COHORT_MEMBER(segment.tolerance), 0, 1}},

      {"recommend", "strategy", "what items are ranked by",
       WordKey{COHORT_WORD(recommend.strategy),
               {"auto", "global", "segment", "personal", "blend", "filter", "hybrid"}}},
      {"recommend", "count", "items a user and a segment", IntegerKey{COHORT_MEMBER(recommend.count), 1, 10'000}},
      {"recommend", "min_support", "training users that an item needs",
       IntegerKey{COHORT_MEMBER(recommend.min_support), 0, unbounded}},
      {"recommend", "allowed_items", "a file of item ids, one a line", PathKey{COHORT_MEMBER(recommend.allowed_items)}},
      {"recommend", "novel", "segments' lists without what most of their users have",
       BooleanKey{COHORT_MEMBER(recommend.novel)}},

      {"profile", "top", "items and categories listed for a segment",
       IntegerKey{COHORT_MEMBER(profile.top), 1, 10'000}},
      {"profile", "false_discovery_rate", "share of wrong ones among those called marking",
       RealKey{COHORT_MEMBER(profile.false_discovery_rate), 0, 1}},
      {"profile", "min_users", "least users of a segment with a listed item",
       IntegerKey{COHORT_MEMBER(profile.min_users), 1, unbounded}},

      {"evaluate", "k", "cut-offs of the ranking measures", IntegersKey{COHORT_MEMBER(evaluate.k), 1, 10'000}},

      {"output", "directory", "where files are written", TextKey{COHORT_MEMBER(output.directory)}},
      {"output", "stall_minutes", "longest that a file call may move nothing, 0: no limit",
       RealKey{COHORT_MEMBER(output.stall_minutes), 0, 1e6}},
  };
}

#undef COHORT_MEMBER
#undef COHORT_WORD
#undef COHORT_WORDS

}  // namespace

std::span<const ConfigKey> config_schema() {
  static const std::vector<ConfigKey> schema = make_schema();
  return schema;
}

const std::vector<std::string_view>& words_of(std::string_view path) {
  const auto schema = config_schema();
  const auto key =
      std::find_if(schema.begin(), schema.end(), [&](const ConfigKey& each) { return each.path() == path; });
  COHORT_CHECK(key != schema.end(), "a key that is none");
  return std::get<WordKey>(key->kind).words;
}

}  // namespace cohort
