// What stands for several files in a configuration: directories, patterns, lists.
#pragma once

#include <string>
#include <vector>

namespace cohort {

/// Each path as the files it stands for: a directory for the files in it and below, in the order of their names, but
/// for those that begin with '.' or '_' (as _SUCCESS does); a pattern with *, ?, [ ] or { } for what matches it;
/// "@list" for the paths in the file list, one a line, relative to its directory. What exists under the name itself is
/// that. Throws InputError: nothing matches, a directory without files, a list that cannot be read. Local.
std::vector<std::string> expand_paths(const std::vector<std::string>& paths);

/// Says of which files the records may be there twice: those called alike but for format and compression (a.csv and
/// a.csv.gz), and those in a table of Delta Lake or Hudi, whose log, which is not read, says which of its files count.
/// Local.
std::vector<std::string> warn_of_copies(const std::vector<std::string>& files);

}  // namespace cohort
