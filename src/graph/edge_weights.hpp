// What a record's weight becomes as the weight of an edge: for the graph, and for users who are folded in later.
#pragma once

#include <cmath>
#include <string>

#include "core/config.hpp"
#include "core/error.hpp"

namespace cohort {

/// 0 leaves an edge out.
class EdgeWeights {
 public:
  /// Throws InputError where options.weight is no known scheme.
  explicit EdgeWeights(const GraphConfig& options)
      : scheme_(options.weight == "binary" ? Scheme::binary
                : options.weight == "log"  ? Scheme::logarithm
                                           : Scheme::raw),
        social_(options.social_weight) {
    if (scheme_ == Scheme::raw && options.weight != "raw") {
      throw InputError("graph.weight = \"" + options.weight + "\": known are binary, log and raw");
    }
  }
  /// 1 ("binary"), ln(1 + weight) ("log") or the weight itself ("raw").
  float interaction(float weight) const {
    if (scheme_ == Scheme::binary) return 1.0F;
    return scheme_ == Scheme::raw ? weight : static_cast<float>(std::log1p(static_cast<double>(weight)));
  }
  float social(float weight) const { return static_cast<float>(social_ * static_cast<double>(weight)); }

 private:
  enum class Scheme { binary, logarithm, raw };
  Scheme scheme_;
  double social_;
};

}  // namespace cohort
