// Whether a file of features has the columns of another one, whose weights it is read with.
#pragma once

#include <string>

#include "data/dataset.hpp"

namespace cohort {

/// Why the columns of `given`, a file at `path`, are not those of `trained`, which the network was trained on, and what
/// to do; empty: they are. Columns of arrays have no names, so that of two arrays the number alone is compared; a file
/// of names unknown (an array, or a graph.h5 of before names were kept) is taken as `trained` by any file of its width.
/// Local.
std::string other_columns(const FeatureTable& given, const std::string& path, const FeatureTable& trained,
                          const std::string& trained_path);

}  // namespace cohort
