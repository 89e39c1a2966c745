// Ids and names of the nodes that an explanation names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/explanation_labels.hpp"
#include "comm/communicator.hpp"
#include "core/ids.hpp"
#include "core/utf8.hpp"
#include "data/id_names.hpp"
#include "result/segments.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// Users and items alike; rows are structs with a `node`. What it is made from must outlive it. Its methods that return
/// several texts are collective, and give the same on all ranks.
class NodeNames {
 public:
  NodeNames(const Communicator& comm, const SegmentsFile& result, const NodeLabels& labels)
      : comm_(comm), result_(result), labels_(labels) {}
  bool is_user(NodeId node) const { return node.value < result_.users.total(); }
  /// Whether a user stays in a segment although another one is nearer, by `difference`, which is then below 0.
  bool is_held(double difference) const { return result_.segments.succession && difference < 0; }
  std::int64_t segment(std::int32_t row) const { return number_of(result_.segments.number, row); }
  /// Of somebody's neighbour.
  std::string kind_of(NodeId node) const { return is_user(node) ? labels_.neighbour : "item"; }

  template <class Rows>
  std::vector<std::string> of(const Rows& rows) const {
    return texts(
        rows, [&](std::int64_t i) { return result_.users[i]; }, [&](std::int64_t i) { return result_.items[i]; });
  }

  /// "" where none is known.
  template <class Rows>
  std::vector<std::string> labels_of(const Rows& rows) const {
    const auto at = [](const std::vector<std::string>& labels) {
      return [&labels](std::int64_t i) -> std::string_view {
        if (labels.empty()) return {};
        return labels[i];
      };
    };
    return texts(rows, at(labels_.users), at(labels_.items));
  }

  /// The id, and the name where there is one, on one line.
  template <class Rows>
  std::vector<std::string> in_words(const Rows& rows) const {
    auto names = of(rows);
    const auto labels = labels_of(rows);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!labels[i].empty() && labels[i] != names[i]) names[i] += " " + labels[i];
      names[i] = one_line(names[i]);
    }
    return names;
  }

 private:
  template <class Rows, class UserText, class ItemText>
  std::vector<std::string> texts(const Rows& rows, UserText user_text, ItemText item_text) const {
    std::vector<std::int64_t> users;
    std::vector<std::int64_t> items;
    for (const auto& row : rows) {
      (is_user(row.node) ? users : items).push_back(row.node.value - (is_user(row.node) ? 0 : result_.users.total()));
    }
    const auto user_ids = texts_of(comm_, result_.users.distribution, users, user_text);
    const auto item_ids = texts_of(comm_, result_.items.distribution, items, item_text);
    auto user = user_ids.begin();
    auto item = item_ids.begin();
    std::vector<std::string> names;
    for (const auto& row : rows) names.push_back(is_user(row.node) ? *user++ : *item++);
    return names;
  }

  const Communicator& comm_;
  const SegmentsFile& result_;
  const NodeLabels& labels_;
};

}  // namespace cohort
