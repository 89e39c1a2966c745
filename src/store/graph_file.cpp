#include "store/graph_file.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "store/checked_values.hpp"
#include "store/compressed_rows.hpp"
#include "store/feature_tables.hpp"
#include "store/h5.hpp"
#include "store/id_rows.hpp"
#include "store/provenance.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

std::string in(const char* group, const char* name) {
  return std::string(group) + "/" + name;
}

void write_pairs(const Communicator& comm, h5::Writer& file, const char* group, const char* other,
                 const PairTable& pairs) {
  write_row_begin(comm, file, in(group, schema::row_begin), pairs.row_begin, pairs.size());
  file.rows(in(group, other), std::span<const std::int64_t>(pairs.other));
  file.rows(in(group, schema::weight), std::span<const float>(pairs.weight));
  // A rank without pairs has no times either, whether the table has them or not.
  if (comm.any(!pairs.time.empty())) file.rows(in(group, schema::time), std::span<const double>(pairs.time));
}

PairTable read_pairs(const Communicator& comm, const h5::Reader& file, const char* group, const char* other,
                     const Distribution& users, std::int64_t lowest, std::int64_t others) {
  const auto rows_name = in(group, schema::row_begin);
  const auto other_name = in(group, other);
  const auto weight_name = in(group, schema::weight);
  const auto time_name = in(group, schema::time);
  const std::int64_t total = file.shape(other_name)[0];
  file.expect_rows(weight_name, total);
  const bool timed = file.has(time_name);
  if (timed) file.expect_rows(time_name, total);
  PairTable pairs;
  auto rows = read_row_begin(comm, file, rows_name, other_name, users);
  pairs.row_begin = std::move(rows.begin);
  const std::int64_t begin = rows.first_entry;
  const std::int64_t count = pairs.row_begin.back();
  pairs.other = file.rows<std::int64_t>(other_name, begin, count);
  pairs.weight = file.rows<float>(weight_name, begin, count);
  if (timed) pairs.time = file.rows<double>(time_name, begin, count);
  check_numbers<std::int64_t>(comm, file, other_name, pairs.other, lowest, others,
                              other == std::string_view(schema::user) ? "users" : "items");
  check_not_negative<float>(comm, file, weight_name, pairs.weight);
  check_finite<double>(comm, file, time_name, pairs.time);
  comm.attempt([&] {
    for (std::int64_t row = 0; row < pairs.rows(); ++row) {
      const auto at = pairs.row_begin.begin() + row;
      // Unknown items (-1) may repeat.
      if (std::adjacent_find(pairs.other.begin() + at[0], pairs.other.begin() + at[1],
                             [](std::int64_t a, std::int64_t b) { return a > b || (a == b && a >= 0); }) !=
          pairs.other.begin() + at[1]) {
        throw file.wrong(other_name, "does not ascend within the row of a user");
      }
    }
  });
  return pairs;
}

// Files of before there were graphs of users alone do not say it.
bool has_users_alone(const h5::Reader& file) {
  if (!file.has_attribute(schema::nodes)) return false;
  const auto nodes = file.text_attribute(schema::nodes);
  if (nodes != schema::users_alone && nodes != schema::users_and_items) {
    throw InputError(file.path() + ": the attribute nodes is \"" + nodes + "\"; known are \"" + schema::users_alone +
                     "\" and \"" + schema::users_and_items + "\"");
  }
  return nodes == schema::users_alone;
}

PairTable no_pairs(std::int64_t rows) {
  PairTable pairs;
  pairs.row_begin.assign(rows + 1, 0);
  return pairs;
}

}  // namespace

void write_graph_file(const Communicator& comm, const std::string& path, const GraphFile& graph) {
  const auto& dataset = graph.dataset;
  h5::Writer file(comm, path);
  write_provenance(file, schema::graph_kind, graph.provenance);
  file.attribute(schema::nodes, dataset.users_alone ? schema::users_alone : schema::users_and_items);
  write_ids(file, schema::users_id, dataset.users);
  if (dataset.has_items()) {
    write_ids(file, schema::items_id, dataset.items);
    write_pairs(comm, file, schema::interactions, schema::item, dataset.interactions);
  }
  if (comm.any(dataset.holdout.size() > 0)) write_pairs(comm, file, schema::holdout, schema::item, dataset.holdout);
  if (comm.any(dataset.social.size() > 0)) write_pairs(comm, file, schema::social, schema::user, dataset.social);
  if (comm.any(dataset.neighbours.size() > 0)) {
    write_pairs(comm, file, schema::neighbours, schema::user, dataset.neighbours);
  }
  write_features(comm, file, schema::user, dataset.user_features);
  write_features(comm, file, schema::item, dataset.item_features);
  if (graph.partition) {
    file.attribute(schema::shards, std::ssize(graph.partition->shard_cost));
    file.rows(schema::partition_shard, std::span<const std::int32_t>(graph.partition->shard_of));
    file.shared(schema::partition_cost, std::span<const std::int64_t>(graph.partition->shard_cost));
  }
  write_history(file, graph.history);
  file.commit();
}

GraphFile read_graph_file(const Communicator& comm, const std::string& path) {
  const h5::Reader file(comm, path);
  GraphFile result;
  result.provenance = read_provenance(file, schema::graph_kind);
  auto& dataset = result.dataset;
  dataset.files = result.provenance.inputs;
  dataset.users = read_ids(comm, file, schema::users_id);
  dataset.items = read_ids(comm, file, schema::items_id);
  const auto& users = dataset.users.distribution;
  const auto pairs = [&](const char* group, const char* other, std::int64_t lowest, std::int64_t others) {
    return file.has_group_of(in(group, schema::row_begin)) ? read_pairs(comm, file, group, other, users, lowest, others)
                                                           : no_pairs(users.count(comm.rank()));
  };
  dataset.interactions = pairs(schema::interactions, schema::item, 0, dataset.items.total());
  // An item of the hold-out that the graph does not know is -1.
  dataset.holdout = pairs(schema::holdout, schema::item, -1, dataset.items.total());
  dataset.social = pairs(schema::social, schema::user, 0, dataset.users.total());
  dataset.users_alone = has_users_alone(file);
  dataset.neighbours = pairs(schema::neighbours, schema::user, 0, dataset.users.total());
  dataset.user_features = read_features(comm, file, schema::user, users);
  dataset.item_features = read_features(comm, file, schema::item, dataset.items.distribution);
  if (file.has_group_of(schema::partition_shard)) {
    const auto nodes = Distribution::even(dataset.nodes(), comm.size());
    StoredPartition partition;
    partition.shard_of = file.rows<std::int32_t>(schema::partition_shard, nodes);
    partition.shard_cost = file.all<std::int64_t>(schema::partition_cost);
    check_numbers<std::int32_t>(comm, file, schema::partition_shard, partition.shard_of, 0,
                                std::ssize(partition.shard_cost), "shards");
    check_not_negative<std::int64_t>(comm, file, schema::partition_cost, partition.shard_cost);
    comm.attempt([&] {
      auto left = std::numeric_limits<std::int64_t>::max();
      for (const auto cost : partition.shard_cost) {
        if (cost > left) throw file.wrong(schema::partition_cost, "adds up to more than a number can hold");
        left -= cost;
      }
    });
    result.partition = std::move(partition);
  }
  result.history = read_history(file);
  return result;
}

}  // namespace cohort
