// Files that hold an array of features: NumPy's .npy and .npz (SciPy's sparse matrices, or one dense array), and HDF5
// (a dense dataset, or a group of arrays that make up a sparse matrix, as AnnData writes them). Parquet, which has ids
// beside its numbers, is told here too, and read by parquet_features.hpp.
#pragma once

#include <string>

#include "ingest/features/entries.hpp"

namespace cohort {

enum class ArrayFormat { none, npy, npz, hdf5, parquet };

/// What the file's first bytes say; none: none of these. Throws InputError: unreadable, or named as one of them and
/// none. Local.
ArrayFormat array_format_of(const std::string& path);

/// The part's entries, of any format but Parquet. dataset: of HDF5, where the file has several; else empty. Throws
/// InputError: no array of two dimensions, no numbers, not finite, damaged or truncated. Local.
ArrayEntries read_array(const std::string& path, ArrayFormat format, const std::string& dataset, const FilePart& part);

/// The same of an HDF5 file alone.
ArrayEntries read_hdf5_array(const std::string& path, const std::string& dataset, const FilePart& part);

}  // namespace cohort
