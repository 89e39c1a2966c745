// What the tests of reading and cleaning share: files that all ranks see, and datasets brought together on every rank
// in terms of the original ids, to be compared with a plain reference.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace cohort::testing_support {

inline const Communicator& world() {
  static const Communicator comm = Communicator::world();
  return comm;
}

/// A directory that goes when the test ends. Rank 0 writes, all read.
class Scratch {
 public:
  Scratch() {
    const auto name = "cohort-ingest-" + std::to_string(::getpid()) + "-" + std::to_string(::random());
    directory_ = world().broadcast((std::filesystem::temp_directory_path() / name).string());
    if (world().is_root()) std::filesystem::create_directories(directory_);
    world().barrier();
  }
  ~Scratch() {
    world().barrier();
    if (world().is_root()) std::filesystem::remove_all(directory_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string write(const std::string& name, const std::string& content) const {
    if (world().is_root()) {
      std::ofstream(path(name), std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    }
    world().barrier();
    return path(name);
  }

 private:
  std::string directory_;
};

inline std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, text.size()) + 64, '\0');
  std::string input = text;
  stream.next_in = reinterpret_cast<unsigned char*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<unsigned char*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

using IdPair = std::pair<std::string, std::string>;

/// A dataset by ids, the same on all ranks.
struct Whole {
  std::vector<std::string> users;
  std::vector<std::string> items;
  std::map<IdPair, std::pair<float, double>> interactions;
  std::multimap<IdPair, std::pair<float, double>> holdout;  // item "": unknown
  std::map<IdPair, float> social;
};

inline std::vector<std::string> whole_ids(const IdTable& table) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < table.block_size(); ++i) lengths.push_back(std::ssize(table[i]));
  std::vector<std::string> ids;
  const auto bytes = world().all_gather(std::span<const char>(table.bytes)).data;
  std::size_t at = 0;
  for (const auto length : world().all_gather(std::span<const std::int64_t>(lengths)).data) {
    ids.emplace_back(bytes.data() + at, static_cast<std::size_t>(length));
    at += static_cast<std::size_t>(length);
  }
  return ids;
}

/// (user, other, weight, time) of a whole table, with the rows as they stand.
inline std::vector<std::tuple<std::int64_t, std::int64_t, float, double>> whole_pairs(const PairTable& table,
                                                                                      const Distribution& users) {
  struct Flat {
    std::int64_t user, other;
    float weight;
    double time;
  };
  std::vector<Flat> mine;
  for (std::int64_t r = 0; r < table.rows(); ++r) {
    for (auto i = table.row_begin[r]; i < table.row_begin[r + 1]; ++i) {
      const auto at = static_cast<std::size_t>(i);
      mine.push_back({users.begin(world().rank()) + r, table.other[at], table.weight[at],
                      table.time.empty() ? 0.0 : table.time[at]});
    }
  }
  std::vector<std::tuple<std::int64_t, std::int64_t, float, double>> all;
  for (const auto& flat : world().all_gather(std::span<const Flat>(mine)).data) {
    all.emplace_back(flat.user, flat.other, flat.weight, flat.time);
  }
  return all;
}

inline Whole whole(const Dataset& dataset) {
  Whole result;
  result.users = whole_ids(dataset.users);
  result.items = whole_ids(dataset.items);
  const auto user = [&](std::int64_t u) { return result.users.at(static_cast<std::size_t>(u)); };
  const auto item = [&](std::int64_t i) {
    return i < 0 ? std::string() : result.items.at(static_cast<std::size_t>(i));
  };
  for (const auto& [u, i, weight, time] : whole_pairs(dataset.interactions, dataset.users.distribution)) {
    result.interactions[{user(u), item(i)}] = {weight, time};
  }
  for (const auto& [u, i, weight, time] : whole_pairs(dataset.holdout, dataset.users.distribution)) {
    result.holdout.insert({{user(u), item(i)}, {weight, time}});
  }
  for (const auto& [u, v, weight, time] : whole_pairs(dataset.social, dataset.users.distribution)) {
    result.social[{user(u), user(v)}] = weight;
  }
  return result;
}

}  // namespace cohort::testing_support
