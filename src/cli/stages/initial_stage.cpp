#include "cli/stages/initial_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <optional>

#include "cli/output/logging.hpp"
#include "cli/stages/network_input.hpp"
#include "cli/stored_config.hpp"
#include "comm/index_plan.hpp"
#include "comm/same_files.hpp"
#include "core/config_schema.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "data/feature_columns.hpp"
#include "ingest/files/sha256.hpp"
#include "ingest/ids/dictionary.hpp"
#include "store/graph_file.hpp"
#include "store/graph_hash.hpp"
#include "store/model_file.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

std::string graph_beside(const std::string& model_path) {
  return (std::filesystem::path(model_path).parent_path() / "graph.h5").string();
}

std::string list_of_widths(const std::vector<std::int64_t>& widths) {
  return fmt::format("[{}]", fmt::join(widths, ", "));
}

// Throws where its configuration is of another model.
void check_model(const Session& session, const ModelFile& model) {
  const auto& config = session.config();
  const auto& path = config.train.initial;
  const auto before = stored_config(model.provenance, path);
  const auto refuse = [&](const std::string& key, const std::string& there, const std::string& here) {
    throw InputError(
        fmt::format("train.initial: {} was trained with {} = {}, but here it is {}; training goes on only "
                    "from a model of the same kind and size",
                    path, key, there, here));
  };
  const auto quoted = [](EncoderKind kind) { return fmt::format("\"{}\"", word_of("model.encoder", kind)); };
  if (encoder_of(before) != encoder_of(config)) {
    refuse("model.encoder", quoted(encoder_of(before)), quoted(encoder_of(config)));
  }
  if (before.model.widths != config.model.widths) {
    refuse("model.widths", list_of_widths(before.model.widths), list_of_widths(config.model.widths));
  }
  if (before.model.activation != config.model.activation) {
    const auto word = [](Activation value) { return fmt::format("\"{}\"", word_of("model.activation", value)); };
    refuse("model.activation", word(before.model.activation), word(config.model.activation));
  }
}

// What this run writes there takes the place of what it follows.
void refuse_own_directory(const Session& session, const std::string& path) {
  session.comm().attempt([&] {
    std::error_code none;
    const auto directory = std::filesystem::path(path).parent_path();
    const auto own = std::filesystem::path(session.model_path());
    if (!session.comm().is_root()) return;
    // By a link, too, to the file alone.
    if (!std::filesystem::equivalent(directory, own.parent_path(), none) &&
        !std::filesystem::equivalent(path, own, none)) {
      return;
    }
    throw InputError("train.initial names " + path +
                     ", in the directory that this run writes to; write into another one (output.directory)");
  });
}

/// Values at places of an array that is distributed over the ranks; places may be -1, of which there are none, and are
/// otherwise different.
class Lookup {
 public:
  Lookup(const Communicator& comm, const Distribution& owners, std::span<const std::int64_t> places)
      : count_(places.size()) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] >= 0) order_.push_back(i);
    }
    std::ranges::sort(order_, {}, [&](std::size_t i) { return places[i]; });
    std::vector<std::int64_t> wanted;
    for (const auto i : order_) wanted.push_back(places[i]);
    plan_.emplace(comm, owners, wanted);
  }

  /// In the order of the places. Collective.
  template <Wire T>
  std::vector<T> fetch(std::span<const T> owned, T missing) const {
    std::vector<T> result(count_, missing);
    const auto found = plan_->fetch(owned);
    for (std::size_t k = 0; k < order_.size(); ++k) result[order_[k]] = found[k];
    return result;
  }

 private:
  std::size_t count_;
  std::vector<std::size_t> order_;  // of the places that are asked for
  std::optional<IndexPlan> plan_;
};

// The number in the other run's graph of every owned node, -1 where it does not know it.
std::vector<std::int64_t> nodes_before(const Communicator& comm, const Dataset& before, const Dataset& now,
                                       const ShardGraph& graph) {
  const auto users = find_ids(comm, before.users, now.users);
  auto items = find_ids(comm, before.items, now.items);
  for (auto& item : items) {
    if (item >= 0) item = before.has_item_nodes() ? item + before.users.total() : -1;
  }
  std::vector<std::int64_t> user_place(graph.owned(), -1);
  std::vector<std::int64_t> item_place(graph.owned(), -1);
  for (std::int64_t row = 0; row < graph.owned(); ++row) {
    const auto node = graph.node[row].value;
    if (node < graph.users) {
      user_place[row] = node;
    } else {
      item_place[row] = node - graph.users;
    }
  }
  constexpr std::int64_t none = -1;
  auto number = Lookup(comm, now.users.distribution, user_place).fetch(std::span(std::as_const(users)), none);
  const auto of_items = Lookup(comm, now.items.distribution, item_place).fetch(std::span(std::as_const(items)), none);
  for (std::size_t row = 0; row < number.size(); ++row) number[row] = std::max(number[row], of_items[row]);
  return number;
}

// The rows of `before` (in even blocks) of those numbers; zeros where there is none.
Matrix rows_at(const Communicator& comm, const Matrix& before, std::int64_t nodes,
               std::span<const std::int64_t> number) {
  // Rows are padded to whole groups.
  using Group = std::array<float, 16>;
  const Lookup lookup(comm, Distribution::even(nodes, comm.size()), number);
  Matrix rows;
  std::vector<Group> groups;
  comm.attempt([&] {
    rows = Matrix(std::ssize(number), before.columns());
    groups.resize(before.rows());
  });
  for (std::int64_t c = 0; c < rows.stride(); c += std::ssize(Group())) {
    for (std::int64_t r = 0; r < before.rows(); ++r)
      std::copy_n(before.row(r) + c, std::ssize(Group()), groups[r].begin());
    const auto found = lookup.fetch(std::span<const Group>(groups), Group());
    for (std::int64_t r = 0; r < rows.rows(); ++r) std::ranges::copy(found[r], rows.row(r) + c);
  }
  return rows;
}

// Throws where the weights of the first layer are of other features, or of the same ones scaled in another way.
void check_features(const Session& session, const Dataset& before, const Dataset& now) {
  const auto& here = session.config().input;
  const auto& path = session.config().train.initial;
  const auto there = stored_config(read_model_file(session.comm(), path, ModelPart::header).provenance, path).input;
  struct Given {
    const std::vector<FeatureTable>& tables;
    const std::vector<std::string>& files;
    const std::vector<FeatureScaling>& scaling;
  };
  const auto check = [&](const std::string& key, const Given& given, const Given& trained) {
    const auto count = std::ssize(given.tables);
    if (const auto before_count = std::ssize(trained.tables); count != before_count) {
      throw InputError(
          fmt::format("train.initial: {} was trained with {} in input.{}_features, but here there {} {}; "
                      "training goes on only from a model of the same files of features",
                      path, counted(before_count, "file"), key, noun(count, "is", "are"), count));
    }
    const auto scaled = scaled_tables(given.tables, given.scaling);
    const auto scaled_before = scaled_tables(trained.tables, trained.scaling);
    for (std::size_t f = 0; f < given.tables.size(); ++f) {
      const auto why = other_columns(given.tables[f], given.files.at(f), trained.tables[f], trained.files.at(f));
      if (!why.empty()) throw InputError("train.initial: " + path + ": " + why);
      if (scaled[f].scaling == scaled_before[f].scaling) continue;
      throw InputError(
          fmt::format("train.initial: {}: {} is scaled in another way than {} was; set "
                      "input.{}_feature_scaling as there",
                      path, given.files.at(f), trained.files.at(f), key));
    }
  };
  check("user", {now.user_features, here.user_features, here.user_feature_scaling},
        {before.user_features, there.user_features, there.user_feature_scaling});
  check("item", {now.item_features, here.item_features, here.item_feature_scaling},
        {before.item_features, there.item_features, there.item_feature_scaling});
}

// Weights and centres, without what only the optimiser knows.
void take_weights(const Session& session, const SavedState& before, std::int64_t columns, InitialState& state) {
  const auto& path = session.config().train.initial;
  for (const auto& [name, matrix] : before.replicated) {
    if (name.starts_with("adam/") || name == initial_centres_name) continue;
    if (name == centres_name) {
      if (!session.config().train.joint) continue;
      if (matrix.rows() != session.config().segment.count || matrix.columns() != columns) {
        spdlog::warn("train: {} has {} of {}, which are not taken over: k-means finds the first ones", path,
                     counted(matrix.rows(), "centre"), counted(matrix.columns(), "column"));
        continue;
      }
    }
    state.replicated[name] = copy_of(matrix.view());
  }
}

}  // namespace

void check_initial(const Session& session) {
  const auto& comm = session.comm();
  const auto& path = session.config().train.initial;
  if (path.empty()) return;
  refuse_own_directory(session, path);
  ModelFile model;
  try {
    model = read_model_file(comm, path, ModelPart::header);
  } catch (const InputError& error) {
    throw InputError(std::string("train.initial: ") + error.what());
  }
  check_model(session, model);
  if (!is_there(comm, graph_beside(path))) {
    throw InputError("train.initial is " + path + ", but there is no " + graph_beside(path) +
                     " beside it, which says whose its rows are; name the model.h5 in the directory of its run");
  }
}

InitialRun read_initial(const Session& session, const Dataset& dataset, const ShardGraph& graph, std::int64_t columns,
                        bool rows_are_learned) {
  const auto& comm = session.comm();
  const auto& path = session.config().train.initial;
  check_initial(session);
  const auto graph_path = graph_beside(path);
  InitialRun run;
  run.files = describe_files(comm, {path, graph_path});
  const auto model = read_model_file(comm, path, ModelPart::checkpoint);
  const auto before = read_graph_file(comm, graph_path).dataset;
  if (graph_hash(comm, before) != model.graph_hash) {
    throw InputError("train.initial: " + path + " was not trained on the graph in " + graph_path + " beside it");
  }
  check_features(session, before, dataset);
  if (model.model.embedding.columns() != columns) {
    throw InputError(fmt::format("train.initial: {} has {} columns, but here there are {}; set model.dim to {}", path,
                                 model.model.embedding.columns(), columns, model.model.embedding.columns()));
  }
  comm.attempt([&] { take_weights(session, model.model.state, columns, run.state); });
  if (!rows_are_learned) {
    spdlog::info("train: starts from the weights of {}", path);
    return run;
  }
  const auto number = nodes_before(comm, before, dataset, graph);
  auto& state = run.state;
  state.rows = rows_at(comm, model.model.parameters(), before.nodes(), number);
  comm.attempt([&] {
    for (const auto n : number) state.known.push_back(n >= 0 ? 1 : 0);
  });
  const auto known = comm.sum(static_cast<std::int64_t>(std::ranges::count(state.known, 1)));
  if (known == 0) {
    throw InputError("train.initial names " + path +
                     ", which has no node in common with this run; rows are taken over by the ids of users and items");
  }
  const auto filled =
      fill_from_neighbours(comm, graph, state.rows.view(), state.known, static_cast<int>(session.threads()));
  const auto nodes = graph.users + graph.items;
  spdlog::info("train: starts from {}: rows of {} by id, {} from their neighbours', {} at random", path,
               counted(known, "node"), filled, nodes - known - filled);
  return run;
}

std::string why_other_initial(const Session& session, const std::vector<InputFile>& follows) {
  const auto& comm = session.comm();
  const auto& path = session.config().train.initial;
  if (path.empty() || follows.empty()) return "";
  // Where it is gone, a link to it may have stayed; what was started from it goes on.
  std::error_code ignored;
  if (!comm.any(comm.is_root() && std::filesystem::exists(path, ignored))) return "";
  const auto now = describe_files(comm, {path}).front();
  return now.sha256 == follows.front().sha256 ? "" : path + ", which train.initial names, is another one now";
}

}  // namespace cohort
