#include "data/feature_columns.hpp"

#include <algorithm>

#include "core/utf8.hpp"
#include "core/words.hpp"

namespace cohort {

std::string other_columns(const FeatureTable& given, const std::string& path, const FeatureTable& trained,
                          const std::string& trained_path) {
  const std::string what_to_do =
      "; files of features are given in the order of training, with the same columns in the same order";
  if (given.columns != trained.columns) {
    return path + ": has " + counted(given.columns, "column") + ", but the network was trained on " +
           with_commas(trained.columns) + " in " + trained_path + what_to_do;
  }
  if (trained.names.empty()) return "";
  if (given.names.empty()) {
    return path + ": is an array, whose columns have no names, but the network was trained on the table " +
           trained_path + "; give a table with the same columns in the same order, so that they can be compared";
  }
  const auto [mine, theirs] = std::ranges::mismatch(given.names, trained.names);
  if (mine == given.names.end()) return "";
  return path + ": column " + std::to_string(mine - given.names.begin() + 1) + " after the ids is " + quoted(*mine) +
         ", but the network was trained on " + quoted(*theirs) + " there, in " + trained_path + what_to_do;
}

}  // namespace cohort
