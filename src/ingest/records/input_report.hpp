// What was understood of the input files, in words, before they are read.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "ingest/files/sha256.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {

/// The same on all ranks.
struct InputReport {
  /// A line for each file: format, separator, header or none, which column is what with a sample of it, which are not
  /// used. Of more than eight files of a kind those that are written like an earlier one are counted in one line.
  std::vector<std::string> files;
  std::vector<std::string> warnings;  ///< "file: what looks misread; what to set"
};

/// Looks at the first lines of files of one kind. Throws InputError as open_files. Collective.
InputReport report_files(const Communicator& comm, const std::vector<std::string>& paths, const LayoutRequest& request);

/// The same for a table of attributes, whose first column holds `ids` ("item"); what its other columns are follows from
/// all of their values (attribute_file.hpp). Throws InputError as open_table. Collective.
InputReport report_table(const Communicator& comm, const std::string& path, const std::string& ids,
                         const std::string& encoding = "auto");

/// The same for all files of pairs that the configuration names; warns also of files given twice, by path or by
/// SHA-256, which is waited for only where files are of the same size. files: interactions, social and test files, in
/// this order. Collective.
InputReport report_input(const Communicator& comm, const InputConfig& input, DescribedFiles& files);

}  // namespace cohort
