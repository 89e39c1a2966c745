// What a configuration leaves at "auto", as it follows from the rest.
#include <gtest/gtest.h>

#include "support/config_text.hpp"

namespace cohort {
namespace {

using namespace testing_support;

TEST(Config, FeaturesDecideWhatIsAuto) {
  const std::string input = std::string(minimal) + "user_features = [\"f.npy\", \"g.h5:X\"]\n";
  const auto config = parse(input + "user_feature_scaling = [\"auto\", \"columns\"]\n");
  EXPECT_EQ(config.input.user_features, (std::vector<std::string>{"/data/f.npy", "/data/g.h5:X"}));
  EXPECT_EQ(config.input.user_feature_scaling,
            (std::vector<FeatureScaling>{FeatureScaling::automatic, FeatureScaling::columns}));
  EXPECT_EQ(config.model.encoder, EncoderKind::gcn);
  EXPECT_EQ(config.train.loss, LossKind::ns4gc);
  EXPECT_EQ(config.model.layers, 2);
  EXPECT_EQ(config.model.widths, std::vector<std::int64_t>{256});
  EXPECT_EQ(config.model.activation, Activation::selu);
  EXPECT_EQ(config.model.edge_dropout, 0.3);
  EXPECT_EQ(config.model.column_dropout, 0.2);
  EXPECT_EQ(config.model.smoothings, 1);
  EXPECT_EQ(to_toml(parse(to_toml(config))), to_toml(config));
  // A network without them learns rows, and from its edges.
  const auto without = parse(std::string(minimal) + "[model]\nencoder = \"gcn\"\n");
  EXPECT_EQ(without.train.loss, LossKind::softmax);
  EXPECT_EQ(without.model.widths, std::vector<std::int64_t>{64});
  EXPECT_EQ(without.model.activation, Activation::relu);
  EXPECT_NE(message(input + "user_feature_scaling = \"rows\"\n").find("one of auto, none, sum"), std::string::npos);
}

TEST(Config, WhatNetworksReadFollowsFromEncoderAndLoss) {
  const auto social = "[input]\nsocial = \"s.tsv\"\n";
  const auto gcn = parse(social, {"model.encoder=gcn"});
  EXPECT_EQ(gcn.train.loss, LossKind::softmax);
  EXPECT_EQ(gcn.model.layers, 2);
  EXPECT_EQ(gcn.model.widths, std::vector<std::int64_t>{64});
  EXPECT_EQ(gcn.model.activation, Activation::relu);
  EXPECT_EQ(gcn.model.edge_dropout, 0);
  EXPECT_EQ(gcn.model.smoothings, 0);
  const auto users = [&](const std::vector<std::string>& more) {
    std::vector<std::string> settings{"graph.kind=user", "model.encoder=gcn"};
    settings.insert(settings.end(), more.begin(), more.end());
    return parse(minimal, settings).model.smoothings;
  };
  EXPECT_EQ(users({}), 2);
  EXPECT_EQ(users({"train.joint=true"}), 0);
  EXPECT_EQ(users({"train.loss=dmon"}), 0);
  EXPECT_EQ(users({"model.smoothings=1"}), 1);
  const auto contrast = parse(social, {"model.encoder=sage", "train.loss=ns4gc", "model.widths=[7, 9]"});
  EXPECT_EQ(contrast.model.layers, 3);
  EXPECT_EQ(contrast.model.edge_dropout, 0.3);
  EXPECT_EQ(contrast.model.column_dropout, 0.2);
  EXPECT_EQ(contrast.model.smoothings, 1);
  EXPECT_TRUE(parse(social, {"model.encoder=gcn", "model.layers=1"}).model.widths.empty());
  const std::string words = "input.user_features=[\"words.npy\"]";
  EXPECT_EQ(parse(social, {words}).model.widths, std::vector<std::int64_t>{256});
  const auto shares = parse(social, {words, "train.loss=dmon"});
  EXPECT_EQ(shares.model.layers, 1);
  EXPECT_TRUE(shares.model.widths.empty());
  EXPECT_EQ(parse(social, {words, "train.loss=dmon", "model.widths=[7]"}).model.layers, 2);
  EXPECT_EQ(parse(social, {"model.encoder=gcn", "train.loss=dmon"}).model.layers, 2);
  // What was settled is read back as it is.
  for (const auto& config : {gcn, contrast, shares, parse(social, {"model.encoder=gcn", "model.layers=1"})}) {
    EXPECT_EQ(to_toml(parse(to_toml(config))), to_toml(config));
  }
  const auto refused = [&](const std::vector<std::string>& overrides, const std::string& expected) {
    EXPECT_NE(message(social, overrides).find(expected), std::string::npos) << message(social, overrides);
  };
  for (const std::string setting : {"train.loss=ns4gc", "model.widths=8", "model.activation=relu",
                                    "model.edge_dropout=0", "model.column_dropout=0.5", "model.smoothings=1"}) {
    for (const std::string encoder : {"auto", "lightgcn", "spectral"}) {
      refused({"model.encoder=" + encoder, setting}, "needs model.encoder = \"gcn\" or \"sage\"");
    }
  }
  refused({"model.encoder=gcn", "model.layers=0"}, "one layer at least");
  refused({"model.encoder=gcn", "model.layers=4", "model.widths=[8]"}, "which makes 2");
  refused({"model.encoder=gcn", "model.widths=[]"}, "or \"auto\"");
}

TEST(Config, LossAndLayersFollowFromTheRest) {
  const auto loss = [](const char* text, const std::vector<std::string>& overrides) {
    return parse(text, overrides).train.loss;
  };
  const auto social = "[input]\nsocial = \"s.tsv\"\n";
  EXPECT_EQ(loss(minimal, {}), LossKind::softmax);
  EXPECT_EQ(loss(minimal, {"input.social=s.tsv"}), LossKind::softmax);
  EXPECT_EQ(loss(social, {}), LossKind::bpr);
  EXPECT_EQ(loss(minimal, {"train.minutes=1"}), LossKind::bpr);
  EXPECT_EQ(loss(minimal, {"train.sampler=lightgcn"}), LossKind::bpr);
  EXPECT_EQ(loss(social, {"train.loss=softmax"}), LossKind::softmax);
  EXPECT_EQ(parse(minimal).model.layers, 2);
  EXPECT_EQ(parse(social).model.layers, 3);
  EXPECT_EQ(parse(minimal, {"model.layers=0"}).model.layers, 0);
  // The width goes by the data where softmax trains LightGCN on items.
  EXPECT_EQ(parse(minimal).model.dim, automatic_dim);
  EXPECT_EQ(parse(minimal, {"model.dim=auto"}).model.dim, automatic_dim);
  for (const auto* setting : {"train.loss=bpr", "model.encoder=spectral", "model.encoder=gcn", "graph.kind=user"}) {
    EXPECT_EQ(parse(minimal, {setting}).model.dim, usual_dim) << setting;
  }
  EXPECT_EQ(parse(social).model.dim, usual_dim);
  EXPECT_EQ(parse(minimal, {"train.length_power=0"}).train.length_power, 0);
  EXPECT_EQ(parse(minimal, {"train.length_power=auto"}).train.length_power, automatic_power);
}

TEST(Config, WhatIsSaidGoesBeforeThePreset) {
  const auto config =
      parse_config(std::string(minimal) + "[train]\nepochs = 5\n", "c.toml", "/data", {"model.dim=8"}, "lightgcn");
  EXPECT_EQ(config.train.loss, LossKind::bpr);
  EXPECT_EQ(config.train.sampler, SamplerKind::lightgcn);
  EXPECT_EQ(config.train.start, StartKind::random);
  EXPECT_EQ(config.train.learning_rate, 0.001);
  EXPECT_EQ(config.train.batch, 2048);
  EXPECT_EQ(config.model.layers, 3);
  EXPECT_EQ(config.recommend.strategy, Strategy::personal);
  EXPECT_EQ(config.train.epochs, 5);
  EXPECT_EQ(config.model.dim, 8);
  EXPECT_THROW(parse_config(minimal, "c.toml", "/data", {}, "lightgnc"), InputError);
}

}  // namespace
}  // namespace cohort
