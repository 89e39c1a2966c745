// What a record's weight becomes as the weight of an edge: for the graph, and for users who are folded in later.
#pragma once

#include <cmath>

#include "core/config.hpp"

namespace cohort {

/// 0 leaves an edge out.
class EdgeWeights {
 public:
  explicit EdgeWeights(const GraphConfig& options) : weighting_(options.weight), social_(options.social_weight) {}

  float interaction(float weight) const {
    switch (weighting_) {
      case EdgeWeighting::binary:
        return 1.0F;
      case EdgeWeighting::log:
        return static_cast<float>(std::log1p(static_cast<double>(weight)));
      case EdgeWeighting::raw:
        break;
    }
    return weight;
  }
  float social(float weight) const { return static_cast<float>(social_ * static_cast<double>(weight)); }

 private:
  EdgeWeighting weighting_;
  double social_;
};

}  // namespace cohort
