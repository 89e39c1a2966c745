// How an input file is written: its format, its header, and which columns mean what. Decided once from the file's name
// and first lines, then used by the parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort {

enum class TextFormat : std::int32_t {
  tsv,       ///< tab
  csv,       ///< comma; double quotes as in RFC 4180
  ssv,       ///< runs of spaces or tabs
  ml,        ///< "::", as in the older MovieLens sets
  inter,     ///< RecBole: tab, with a header of name:type
  lightgcn,  ///< adjacency lists: user item item ..., by spaces
};

/// What the file's records are: (user, item), (user, user) or (user, label).
enum class FileRole : std::int32_t { interactions, social, labels };

/// Same on all ranks; trivially copyable, so that rank 0 can say it to the others.
struct FileLayout {
  TextFormat format = TextFormat::tsv;
  FileRole role = FileRole::interactions;
  std::int32_t columns = 0;  ///< fields that every line has; 0: any number (lightgcn)
  std::int32_t first = 0;    ///< column of the user
  std::int32_t second = 1;   ///< column of the item, the other user or the label
  std::int32_t weight = -1;  ///< -1: none, every record weighs 1
  std::int32_t time = -1;
  std::int32_t event = -1;        ///< what kind of interaction a record is
  std::int64_t data_begin = 0;    ///< bytes before the first line of data: byte order mark, header
  std::int64_t header_lines = 0;  ///< lines before data_begin
};

/// Bytes that a line may have; a longer one is malformed.
constexpr std::size_t line_limit(const FileLayout& layout) {
  return std::size_t{1} << (layout.format == TextFormat::lightgcn ? 26 : 20);
}

/// (role, column name or index from 0), as input.columns.
using ColumnChoice = std::vector<std::pair<std::string, std::string>>;

/// `head`: the file's first bytes (decompressed), whole lines but perhaps for the last; `name`: for messages and the
/// extension; `format`: a format's name or "auto". Throws InputError: the file is empty, the format cannot be told
/// (asks for input.format and shows a line), a chosen column is not there. Local.
FileLayout detect_layout(std::string_view head, const std::string& name, FileRole role, const std::string& format,
                         const ColumnChoice& columns);

/// The header line of a table whose first column holds ids.
struct TableHeader {
  FileLayout layout;               ///< format (tsv or csv), columns, data_begin, header_lines
  std::vector<std::string> names;  ///< of all columns, without RecBole's types
  std::vector<std::string> types;  ///< RecBole's: token, token_seq, float, float_seq; empty: the header has none
};

/// head, name: as for detect_layout. Throws InputError: the file is empty but for its header, has one column, or a
/// header that names none, or one twice. Local.
TableHeader detect_table(std::string_view head, const std::string& name);

/// Which columns of a file mean what; `names` is empty where the file has no header, `typed` says that it is RecBole's.
/// Fills layout.first, second, weight, time from `columns`, else from known names, else 0, 1, 2, 3; event likewise, but
/// never without a name. Throws InputError. Local.
void choose_columns(FileLayout& layout, const std::vector<std::string>& names, bool typed,
                    const std::vector<std::string>& first_line, const std::string& file, FileRole role,
                    const ColumnChoice& columns);

/// Whether one of the fields is a name that a header would have (user_id, rating, ...) or that `columns` asks for.
bool looks_like_header(const std::vector<std::string>& fields, FileRole role, const ColumnChoice& columns);

}  // namespace cohort
