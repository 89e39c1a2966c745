// What a file is of the things that a configuration names, told from its name and first lines: for `cohort init`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/records/file_layout.hpp"

namespace cohort {

enum class FileKind : std::int32_t { interactions, social, user_attributes, item_attributes, none };

struct FileGuess {
  FileKind kind = FileKind::none;
  std::string why;                 ///< what it was told by; of `none` why it is nothing
  bool doubtful = false;           ///< a table that may be interactions where no other file is
  bool empty = false;              ///< nothing in it; of several files it is what the others are
  std::vector<std::string> names;  ///< of its columns; empty: they have none
  std::int32_t columns = 0;
};

/// Told by, in this order: RecBole's names of files; a column of users beside one of items, or of friends; one of users
/// or items alone in the first column, none of whose values comes twice; the file's own name (users.dat, movies.dat,
/// friends.txt); two columns of the same words. head: as for detect_layout. Throws nothing that is the user's. Local.
FileGuess guess_kind(std::string_view head, const std::string& name, const LayoutRequest& request);

/// The files of one pattern or directory are parts of one table where they can be: those without names of columns are
/// what the others of as many columns are. Local.
void settle_parts(std::vector<FileGuess>& guesses);

}  // namespace cohort
