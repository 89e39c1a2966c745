#include <algorithm>
#include <map>

#include "comm/distribution.hpp"
#include "store/h5.hpp"

namespace cohort::h5 {

namespace {

std::map<std::string, DatasetShape> by_name(const Reader& file, const std::vector<std::string>& left_out) {
  std::map<std::string, DatasetShape> result;
  for (const auto& dataset : file.datasets()) {
    const bool out = std::ranges::any_of(
        left_out, [&](const std::string& group) { return (dataset.name + "/").starts_with(group + "/"); });
    if (!out) result[dataset.name] = dataset;
  }
  return result;
}

}  // namespace

Differences compare_datasets(const Communicator& comm, const Reader& first, const Reader& second,
                             const std::vector<std::string>& left_out) {
  const auto in_first = by_name(first, left_out);
  const auto in_second = by_name(second, left_out);
  Differences result;
  for (const auto& [name, shape] : in_second) {
    if (!in_first.contains(name)) result.only_second.push_back(name);
  }
  for (const auto& [name, shape] : in_first) {
    const auto other = in_second.find(name);
    if (other == in_second.end()) {
      result.only_first.push_back(name);
      continue;
    }
    bool same = shape.type == other->second.type && shape.shape == other->second.shape;
    if (same) {
      const auto rows = Distribution::even(shape.shape.empty() ? 0 : shape.shape[0], comm.size());
      const auto begin = rows.begin(comm.rank());
      const auto count = rows.count(comm.rank());
      same = !comm.any(first.stored(name, begin, count) != second.stored(name, begin, count));
    }
    if (same) {
      ++result.same;
    } else {
      result.differ.push_back(name);
    }
  }
  return result;
}

}  // namespace cohort::h5
