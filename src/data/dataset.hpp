// What is left of the input after reading, numbering and cleaning, distributed in blocks over the ranks: the contents
// of graph.h5 without the partition. Users and items are numbered by the dictionary (core/ids.hpp, NodeId): by the
// length of their id and then by its bytes, so that numbers stand in numeric order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "comm/distribution.hpp"
#include "core/config.hpp"
#include "core/ragged.hpp"

namespace cohort {

/// This rank's block of a dictionary: original ids [distribution.begin(rank), distribution.end(rank)).
struct IdTable {
  Distribution distribution;
  std::vector<std::int64_t> begin{0};  ///< offsets into bytes; block size + 1
  std::string bytes;

  std::int64_t total() const { return distribution.total(); }
  std::int64_t block_size() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  std::string_view operator[](std::int64_t local) const { return list_of(bytes, begin, local); }
  void push_back(std::string_view id) {
    bytes.append(id);
    begin.push_back(static_cast<std::int64_t>(bytes.size()));
  }
};

/// Rows of pairs (row, other, weight[, time]): row i is user block_begin + i; `other` is an item number (0..I-1) or, in
/// social edges, a user number. Within a row ascending by `other`, no repeats.
struct PairTable {
  std::vector<std::int64_t> row_begin{0};  ///< rows + 1
  std::vector<std::int64_t> other;
  std::vector<float> weight;
  std::vector<double> time;  ///< empty where the input has no times

  std::int64_t rows() const { return static_cast<std::int64_t>(row_begin.size()) - 1; }
  std::int64_t size() const { return static_cast<std::int64_t>(other.size()); }
  std::span<const std::int64_t> row(std::int64_t i) const { return list_of(std::span(other), row_begin, i); }
};

/// Name, size and SHA-256 of an input file; the same on all ranks.
struct InputFile {
  std::string path;
  std::int64_t bytes = 0;
  std::string sha256;  ///< 64 hexadecimal digits
};

/// One file of what a network reads of users or items: row i is that of this rank's i-th, `other` a column, `weight`
/// the number there. Zeros are left out, but of every row that the file has one entry at least is kept.
struct FeatureTable {
  PairTable rows;
  std::int64_t columns = 0;
  std::vector<std::string> names;               ///< of the columns, the same on all ranks; empty: arrays have none
  bool dense = false;                           ///< the file has a number in every column of its rows
  FeatureScaling usual = FeatureScaling::none;  ///< what "auto" is for it
};

struct Dataset {
  IdTable users;           ///< all tables by user are distributed as users.distribution
  IdTable items;           ///< total 0 where the input is social only
  PairTable interactions;  ///< what the graph is made of
  PairTable holdout;  ///< for evaluate only, none of it among `interactions`: the test file's, or the share held out.
                      ///< `other` = -1 (repeats allowed): an item that the graph does not know, which counts as missed
  PairTable social;   ///< both directions of every edge, no self-loops
  PairTable neighbours;      ///< the same for users joined by what they share; none where items are nodes
  bool users_alone = false;  ///< the nodes of the graph are users, whether there are items or not
  std::vector<FeatureTable> user_features;  ///< by file
  std::vector<FeatureTable> item_features;
  std::vector<InputFile> files;

  bool has_items() const { return items.total() > 0; }
  /// Whether the graph has nodes that are items.
  bool has_item_nodes() const { return has_items() && !users_alone; }
  /// Of the graph: users, and then items where they are nodes.
  std::int64_t nodes() const { return users.total() + (users_alone ? 0 : items.total()); }
};

}  // namespace cohort
