#include "ingest/records/attribute_file.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "ingest/files/sha256.hpp"
#include "ingest/ids/dictionary.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/attribute_rows.hpp"

namespace cohort {

namespace {

// A column with at most so many different values is one of categories or numbers, however small the table.
constexpr std::int64_t few_values = 20;
constexpr std::int64_t most_categories = 1'000'000;

// Of the cells of a column, over all ranks.
struct ColumnCounts {
  std::int64_t filled = 0;
  std::int64_t no_number = 0;
  std::int64_t too_long = 0;
  std::int64_t with_bar = 0;
};

std::vector<ColumnCounts> count_columns(const Communicator& comm, const AttributeRows& rows) {
  constexpr std::size_t numbers = 4;
  std::vector<std::int64_t> counts(numbers * rows.names.size(), 0);
  for (std::size_t r = 0; r < rows.row.size(); ++r) {
    for (std::size_t c = 0; c < rows.names.size(); ++c) {
      const auto cell = rows.cell(r, c);
      if (cell.empty()) continue;
      auto* const of_column = &counts[numbers * c];
      ++of_column[0];
      of_column[1] += number_of(cell) ? 0 : 1;
      of_column[2] += cell.size() > max_id_bytes ? 1 : 0;
      of_column[3] += cell.find('|') != std::string_view::npos ? 1 : 0;
    }
  }
  comm.sum_in_place(std::span<std::int64_t>(counts));
  std::vector<ColumnCounts> result;
  for (std::size_t c = 0; c < rows.names.size(); ++c) {
    const auto* const of_column = &counts[numbers * c];
    result.push_back({of_column[0], of_column[1], of_column[2], of_column[3]});
  }
  return result;
}

bool named_like_a_label(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  return name.find("name") != std::string::npos || name.find("title") != std::string::npos;
}

// Calls take(part) for the parts of a cell that are not empty.
template <class Take>
void split_cell(std::string_view cell, char separator, Take take) {
  while (!cell.empty()) {
    const auto end = cell.find(separator);
    const auto part = cell.substr(0, end);
    if (!part.empty()) take(part);
    cell.remove_prefix(end == std::string_view::npos ? cell.size() : end + 1);
  }
}

// The categories of a column in this rank's rows.
struct Parts {
  IdTable names;                     // all categories, in blocks
  std::vector<std::int64_t> begin;   // rows of the file here + 1
  std::vector<std::int64_t> number;  // of every part, in names
  std::int64_t total = 0;            // parts, over all ranks
  bool nearly_all_differ() const { return 2 * names.total() > total; }
};

// separator '\0': cells are not split. No cell may be longer than max_id_bytes. Collective.
Parts categorise(const Communicator& comm, const AttributeRows& rows, std::size_t column, char separator) {
  Parts parts;
  IdInterner interner;
  std::vector<std::uint32_t> local;
  comm.attempt([&] {
    parts.begin.push_back(0);
    for (std::size_t r = 0; r < rows.row.size(); ++r) {
      split_cell(rows.cell(r, column), separator,
                 [&](std::string_view part) { local.push_back(interner.intern(make_token(part))); });
      parts.begin.push_back(std::ssize(local));
    }
  });
  auto dictionary = build_dictionary(comm, interner.take_ids());
  parts.names = std::move(dictionary.table);
  parts.number.resize(local.size());
  std::ranges::transform(local, parts.number.begin(), [&](std::uint32_t id) { return dictionary.number[id]; });
  parts.total = comm.sum(std::ssize(local));
  return parts;
}

class Columns {
 public:
  Columns(const Communicator& comm, const AttributeRows& rows, std::int64_t block_size)
      : comm_(comm), rows_(rows), block_size_(static_cast<std::size_t>(block_size)) {}

  AttributeTable sort_out() {
    const auto counts = count_columns(comm_, rows_);
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (!take(c, counts[c])) table_.left_out.push_back(rows_.names[c]);
    }
    table_.label.resize(table_.label_name.empty() ? 0 : block_size_);
    return std::move(table_);
  }

 private:
  // False: the column is left out. The same on all ranks.
  bool take(std::size_t c, const ColumnCounts& counts) {
    const auto type = rows_.types.empty() ? std::string() : rows_.types[c];
    if (counts.filled == 0 || type == "float_seq") return false;
    const bool numbers = counts.no_number == 0 && type != "token_seq";
    if (numbers && type != "token") return take_numbers(c);
    const bool label = named_like_a_label(rows_.names[c]);
    if (counts.too_long > 0) return label && take_label(c);
    const bool split = !label && (type == "token_seq" || (type.empty() && counts.with_bar > 0));
    const auto parts = categorise(comm_, rows_, c, !split ? '\0' : type.empty() ? '|' : ' ');
    if (label && !numbers && parts.nearly_all_differ()) return take_label(c);
    if (parts.names.total() > few_values && parts.nearly_all_differ()) return false;
    if (numbers) return take_numbers(c);
    return parts.names.total() <= most_categories && take_categories(c, parts);
  }

  bool take_numbers(std::size_t c) {
    NumericAttribute attribute;
    attribute.name = rows_.names[c];
    comm_.attempt([&] {
      attribute.value.assign(block_size_, std::numeric_limits<double>::quiet_NaN());
      for (std::size_t r = 0; r < rows_.row.size(); ++r) {
        if (const auto value = number_of(rows_.cell(r, c))) {
          attribute.value[static_cast<std::size_t>(rows_.row[r])] = *value;
        }
      }
    });
    table_.numeric.push_back(std::move(attribute));
    return true;
  }

  bool take_label(std::size_t c) {
    if (!table_.label_name.empty()) return false;
    table_.label_name = rows_.names[c];
    comm_.attempt([&] {
      table_.label.resize(block_size_);
      for (std::size_t r = 0; r < rows_.row.size(); ++r) {
        table_.label[static_cast<std::size_t>(rows_.row[r])] = rows_.cell(r, c);
      }
    });
    return true;
  }

  bool take_categories(std::size_t c, const Parts& parts) {
    CategoryAttribute attribute;
    attribute.name = rows_.names[c];
    attribute.categories = all_ids(comm_, parts.names);
    comm_.attempt([&] {
      std::vector<std::int64_t> of_row;
      std::size_t r = 0;
      for (std::size_t i = 0; i < block_size_; ++i) {
        of_row.clear();
        if (r < rows_.row.size() && rows_.row[r] == static_cast<std::int64_t>(i)) {
          of_row.assign(parts.number.begin() + parts.begin[r], parts.number.begin() + parts.begin[r + 1]);
          ++r;
        }
        std::ranges::sort(of_row);
        of_row.erase(std::unique(of_row.begin(), of_row.end()), of_row.end());
        for (const auto number : of_row) attribute.category.push_back(static_cast<std::int32_t>(number));
        attribute.row_begin.push_back(std::ssize(attribute.category));
      }
    });
    table_.category.push_back(std::move(attribute));
    return true;
  }

  const Communicator& comm_;
  const AttributeRows& rows_;
  std::size_t block_size_;
  AttributeTable table_;
};

}  // namespace

AttributeTable read_attributes(const Communicator& comm, const IdTable& ids, const std::string& path,
                               const std::string& encoding) {
  auto file = describe_files(comm, {path}).front();
  const auto rows = read_attribute_rows(comm, ids, path, encoding);
  auto table = Columns(comm, rows, ids.block_size()).sort_out();
  table.matched = rows.matched;
  table.unknown = rows.unknown;
  table.file = std::move(file);
  return table;
}

}  // namespace cohort
