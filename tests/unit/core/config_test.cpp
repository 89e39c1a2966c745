// The configuration: defaults, every kind of mistake and its message, --set, and that what is written reads back.
#include "core/config.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/config_schema.hpp"
#include "core/error.hpp"
#include "core/nearest_name.hpp"
#include "support/config_text.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(Config, DefaultsAreThoseOfTheStructs) {
  const auto config = parse(minimal);
  EXPECT_EQ(config.input.interactions, std::vector<std::string>{"/data/a.tsv"});
  EXPECT_EQ(config.train.epochs, TrainConfig{}.epochs);
  EXPECT_EQ(config.partition.shards, 0);
  // Every default passes its own key's check: write it, read it.
  EXPECT_EQ(to_toml(parse(to_toml(config))), to_toml(config));
}

TEST(Config, EveryKeyRoundTrips) {
  const std::string text = R"(threads = 3

[input]
interactions = ["/x/a \"b\".tsv", "/x/ü\u0001\\n.csv"]
social = ["/x/s.tsv"]
test = ["/x/t.tsv"]
format = "csv"
separator = ";"
encoding = "latin1"
time_unit = "ms"
date_order = "mdy"
header = true
columns = {item = "movie id", user = "0"}
holdout = 0.0
holdout_split = "temporal"
holdout_last = 2
item_attributes = "/x/i.item"
user_attributes = "/x/u.user"
user_features = []
item_features = []
user_feature_ids = ""
item_feature_ids = ""
user_feature_scaling = ["length"]
item_feature_scaling = ["columns"]

[clean]
social_only_users = "drop"
min_user_interactions = 5
min_item_interactions = 6
max_user_interactions = 700
max_bad_lines = 8.0
repeats = "mean"
incomplete = "drop"

[graph]
kind = "user"
similarity = "count"
neighbours = 9
max_item_users = 500
weight = "log"
min_weight = 4.5
event_weights = {"add to cart" = 2.5, "view" = 0.0}
half_life = 30.5
social_weight = 0.1

[partition]
shards = 128
tool = "file"
objective = "volume"
file = "/x/g.part"

[model]
encoder = "lightgcn"
layers = 2
dim = 33
widths = "auto"
activation = "auto"
edge_dropout = "auto"
column_dropout = "auto"
smoothings = "auto"

[train]
loss = "softmax"
sampler = "lightgcn"
start = "spectral"
epochs = 7
steps = 50
batch = 4096
learning_rate = 0.003
temperature = 0.2
pair_weight = "equal"
length_power = 0.0
decay = 1e-05
minutes = 2.5
seed = 9223372036854775807
checkpoint_every = 3
checkpoint_minutes = 7.5
joint = false
initial = "/x/model.h5"

[segment]
count = 9
count_min = 4
count_max = 32
levels = []
previous = "/x/segments.h5"
stickiness = 0.05
method = "spherical"
restarts = 2
max_iterations = 11
tolerance = 0.001

[recommend]
strategy = "segment"
count = 7
min_support = 3
allowed_items = "/x/items.gz"
novel = true

[profile]
top = 7
false_discovery_rate = 0.01
min_users = 3

[evaluate]
k = [5, 20]

[output]
directory = "out"
stall_minutes = 3.5
)";
  const auto config = parse(text);
  EXPECT_EQ(config.input.interactions[0], "/x/a \"b\".tsv");
  EXPECT_EQ(config.input.interactions[1], "/x/ü\u0001\\n.csv");
  EXPECT_EQ(config.train.decay, 1e-5);
  EXPECT_EQ(config.train.seed, INT64_MAX);
  EXPECT_EQ(config.evaluate.k, (std::vector<std::int64_t>{5, 20}));
  const std::vector<std::pair<std::string, std::string>> columns{{"item", "movie id"}, {"user", "0"}};
  EXPECT_EQ(config.input.columns, columns);
  EXPECT_EQ(to_toml(config), text);
  EXPECT_EQ(to_toml(parse(to_toml(config))), text);
  // The text above names every key of the schema with a value other than the default's, or the only one allowed.
  for (const auto& key : config_schema()) EXPECT_NE(text.find(std::string(key.name) + " = "), std::string::npos);
}

TEST(Config, UnknownKeysNameTheNearest) {
  EXPECT_EQ(message("[input]\ninteractions = \"x\"\n[train]\nepoch = 3\n"),
            "c.toml:4: there is no key train.epoch; the nearest is \"epochs\"");
  EXPECT_EQ(message("[train]\nlaerning_rate = 3\n"),
            "c.toml:2: there is no key train.laerning_rate; the nearest is \"learning_rate\"");
  EXPECT_EQ(message("[trian]\nepoch = 3\n"), "c.toml:2: there is no section [trian]; the nearest is [train]");
  EXPECT_EQ(message("[model]\nepochs = 3\n"),
            "c.toml:2: there is no key epochs in [model]; did you mean the one in [train]?");
  EXPECT_EQ(message("thread = 3\n"), "c.toml:1: there is no key thread; the nearest is \"threads\"");
  EXPECT_EQ(message("[clusters]\n"), "c.toml:1: there is no key clusters; the nearest is \"clean\"");
  EXPECT_EQ(message("[train]\n[train.x]\na = 1\n"), "c.toml:2: there is no key train.x; the nearest is \"loss\"");
  EXPECT_EQ(message("train = 3\n"), "c.toml:1: train is a section: write [train]");
  EXPECT_EQ(message(minimal, {"train.epoch=3"}), "--set: there is no key train.epoch; the nearest is \"epochs\"");
}

TEST(Config, WrongValuesSayWhatIsAllowed) {
  EXPECT_EQ(
      message("[train]\nepochs = \"many\"\n"),
      "c.toml:2: train.epochs (passes over the interactions (bpr) or users (softmax)) must be an integer from 1 to "
      "1,000,000 or \"auto\", but is "
      "\"many\"");
  EXPECT_EQ(message("[model]\nlayers = -1\n"),
            "c.toml:2: model.layers (propagation layers, 0: matrix factorisation) must be an integer from 0 to 10 or "
            "\"auto\", but "
            "is -1");
  EXPECT_EQ(
      message("[model]\ndim = 64.0\n"),
      "c.toml:2: model.dim (columns of the embedding) must be an integer from 1 to 1,024 or \"auto\", but is 64.0");
  EXPECT_EQ(
      message("[model]\nencoder = \"lightgnc\"\n"),
      "c.toml:2: model.encoder (what makes the embedding) must be one of auto, lightgcn, spectral, gcn, sage, but is "
      "\"lightgnc\"");
  EXPECT_EQ(message("[graph]\nweight = \"sqrt\"\n"),
            "c.toml:2: graph.weight (edge weight of an interaction) must be one of binary, log, raw, but is \"sqrt\"");
  EXPECT_EQ(message("[train]\nlearning_rate = 0\n"),
            "c.toml:2: train.learning_rate (of Adam) must be a number above 0 or \"auto\", but is 0");
  EXPECT_EQ(message("[train]\ndecay = nan\n"),
            "c.toml:2: train.decay (L2 on the rows of a step, or on weights) must be a number from 0.0 up or \"auto\", "
            "but is "
            "nan");
  EXPECT_EQ(message("[input]\nholdout = true\n"),
            "c.toml:2: input.holdout (share of the interactions held out) must be a number, but is true");
  EXPECT_EQ(message("[recommend]\nnovel = 1\n"),
            "c.toml:2: recommend.novel (segments' lists without what most of their users have) must be true or false, "
            "but is 1");
  EXPECT_EQ(message("[input]\ninteractions = [1]\n"),
            "c.toml:2: input.interactions (files of interactions) must be a path or an array of paths, but has 1");
  EXPECT_EQ(message("[segment]\nlevels = [0, 4]\n"),
            "c.toml:2: segment.levels (numbers of segments, each level inside the one before) must be an integer or an "
            "array of integers from 1 to 1,000,000, but has 0");
  EXPECT_EQ(message("[input]\ncolumns = {usr = 0}\n"),
            "c.toml:2: input.columns (which column holds what, by name or index from 0) must be a table with the keys "
            "user, item, weight, time, event, split, source, target, not \"usr\", but is a table");
  EXPECT_EQ(message("[partition]\nshards = 0\n"),
            "c.toml:2: partition.shards (parts that the graph is cut into) must be an integer from 1 to 1,073,741,824 "
            "or \"auto\", but is 0");
  const std::string factors =
      "c.toml:2: graph.event_weights (factor of the weights of each event's records) must be a table of numbers from 0 "
      "up such as {view = 1, \"add to cart\" = 2}, but ";
  EXPECT_EQ(message("[graph]\nevent_weights = 3\n"), factors + "is 3");
  for (const std::string weight : {"-1", "inf", "nan", "\"2\"", "true", "[1]"}) {
    EXPECT_EQ(message("[graph]\nevent_weights = {view = " + weight + "}\n"),
              factors + "has " + (weight == "[1]" ? "an array" : weight));
  }
  EXPECT_NE(message("[graph]\nhalf_life = -1\n").find("a number from 0.0 to"), std::string::npos);
  EXPECT_NE(message("[input]\nholdout_split = \"time\"\n").find("random, temporal"), std::string::npos);
  EXPECT_NE(message("[input\n").find("c.toml:1: "), std::string::npos);
  EXPECT_NE(message("[input]\ninteractions = \"a\"\ninteractions = \"b\"\n").find("c.toml:3: "), std::string::npos);
}

TEST(Config, KeysThatExcludeOrNeedEachOther) {
  EXPECT_NE(message("").find("input.interactions"), std::string::npos);
  EXPECT_NE(message("[input]\ninteractions = []\nsocial = \"\"\n").find("no input"), std::string::npos);
  EXPECT_NE(message(minimal, {"input.holdout=0.1", "input.test=t"}).find("exclude"), std::string::npos);
  EXPECT_NE(message("[input]\nsocial = \"s\"\nholdout = 0.1\n").find("need input.interactions"), std::string::npos);
  EXPECT_NE(message(minimal, {"partition.tool=file"}).find("partition.file"), std::string::npos);
  EXPECT_NE(message(minimal, {"output.directory="}).find("output.directory"), std::string::npos);
}

TEST(Config, WeightsOfEventsNeedAGraphThatUsesThem) {
  const auto config = parse(minimal, {"graph.weight=raw", "graph.event_weights={view = 1, 'add to cart' = 2.5}"});
  const std::vector<std::pair<std::string, double>> weights{{"add to cart", 2.5}, {"view", 1.0}};
  EXPECT_EQ(config.graph.event_weights, weights);
  const auto table = std::string(minimal) + "[graph]\nweight = \"log\"\n[graph.event_weights]\nview = 0\n\"\" = 3\n";
  EXPECT_EQ(parse(table).graph.event_weights.size(), 2U);
  EXPECT_EQ(to_toml(parse(to_toml(parse(table)))), to_toml(parse(table)));

  const auto no_effect = message(minimal, {"graph.event_weights={view = 1, buy = 5}"});
  EXPECT_NE(no_effect.find("graph.weight to raw or log"), std::string::npos) << no_effect;
  EXPECT_NE(message(minimal, {"graph.half_life=30"}).find("graph.half_life would have no effect"), std::string::npos);
  EXPECT_EQ(message(minimal, {"graph.event_weights={view = 0, buy = 1}"}), "no error") << "drops views";
  EXPECT_EQ(message(minimal, {"graph.half_life=30", "graph.weight=log"}), "no error");
  EXPECT_NE(message("[input]\nsocial = \"s\"\n[graph]\nhalf_life = 1\n").find("need input.interactions"),
            std::string::npos);
}

TEST(Config, SettingsFromTheCommandLine) {
  const auto config =
      parse(minimal, {"train.epochs=3", "train.epochs=4", "partition.shards=auto", "threads=2",
                      "output.directory=/tmp/a=b", "model.dim=16", "evaluate.k=[1, 2]", "train.decay=1e-3",
                      "graph.weight=raw", "input.columns={user = 1}", "input.social=[\"/s 1\", '/s2']"});
  EXPECT_EQ(config.train.epochs, 4);
  EXPECT_EQ(config.partition.shards, 0);
  EXPECT_EQ(config.threads, 2);
  EXPECT_EQ(config.output.directory, "/tmp/a=b");
  EXPECT_EQ(config.train.decay, 1e-3);
  EXPECT_EQ(config.graph.weight, EdgeWeighting::raw);
  EXPECT_EQ(config.input.social, (std::vector<std::string>{"/s 1", "/s2"}));
  EXPECT_EQ(config.input.columns.at(0).second, "1");
  // A path given on the command line is one of the current directory; a number may be a file's name.
  EXPECT_EQ(parse(minimal, {"input.interactions=2024"}).input.interactions.at(0),
            (std::filesystem::current_path() / "2024").string());
  EXPECT_EQ(parse("", {"input.social=x"}).input.interactions.size(), 0U);
  EXPECT_EQ(message(minimal, {"train.epochs"}), "--set train.epochs: write --set section.key=value");
  EXPECT_NE(message(minimal, {"train.epochs=3 4"}).find("\"3 4\""), std::string::npos);
}

TEST(NearestName, CountsEditsAndSwaps) {
  const std::vector<std::string> names{"epochs", "batch", "decay", "seed"};
  EXPECT_EQ(nearest_name("epoch", names), "epochs");
  EXPECT_EQ(nearest_name("bathc", names), "batch");
  EXPECT_EQ(nearest_name("sed", names), "seed");
  EXPECT_EQ(nearest_name("", names), "seed");
}

}  // namespace
}  // namespace cohort
