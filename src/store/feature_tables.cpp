#include "store/feature_tables.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/error.hpp"
#include "store/checked_values.hpp"
#include "store/compressed_rows.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

std::string in_table(const std::string& of, std::size_t number, const char* name) {
  return std::string(schema::features) + "/" + of + "/" + std::to_string(number) + "/" + name;
}

FeatureTable read_table(const Communicator& comm, const h5::Reader& file, const std::string& of, std::size_t number,
                        const Distribution& blocks) {
  const auto form_name = in_table(of, number, schema::feature_form);
  const auto column_name = in_table(of, number, schema::feature_column);
  const auto value_name = in_table(of, number, schema::weight);
  const auto names_name = in_table(of, number, schema::feature_name);
  file.expect_rows(form_name, 3);
  const auto form = file.all<std::int64_t>(form_name);
  if (form[0] < 1 || form[0] >= std::numeric_limits<std::int32_t>::max() || form[1] < 0 || form[1] > 1 || form[2] < 1 ||
      form[2] > static_cast<std::int64_t>(FeatureScaling::columns)) {
    throw file.wrong(form_name, "holds numbers that mean nothing");
  }
  FeatureTable table;
  table.columns = form[0];
  table.dense = form[1] == 1;
  table.usual = static_cast<FeatureScaling>(form[2]);
  if (file.has(names_name)) {
    file.expect_rows(names_name, table.columns);
    table.names = file.all_strings(names_name);
  }
  auto rows = read_row_begin(comm, file, in_table(of, number, schema::row_begin), column_name, blocks);
  file.expect_rows(value_name, file.shape(column_name)[0]);
  table.rows.row_begin = std::move(rows.begin);
  table.rows.other = file.rows<std::int64_t>(column_name, rows.first_entry, table.rows.row_begin.back());
  table.rows.weight = file.rows<float>(value_name, rows.first_entry, table.rows.row_begin.back());
  check_numbers<std::int64_t>(comm, file, column_name, table.rows.other, 0, table.columns, "columns");
  check_finite<float>(comm, file, value_name, table.rows.weight);
  comm.attempt([&] {
    for (std::int64_t row = 0; row < table.rows.rows(); ++row) {
      const auto columns = table.rows.row(row);
      if (std::ranges::adjacent_find(columns, std::greater_equal<>()) != columns.end()) {
        throw file.wrong(column_name, "does not ascend within a row");
      }
    }
  });
  return table;
}

}  // namespace

void write_features(const Communicator& comm, h5::Writer& file, const std::string& of,
                    const std::vector<FeatureTable>& tables) {
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto& table = tables[t];
    const std::array<std::int64_t, 3> form{table.columns, table.dense ? 1 : 0, static_cast<std::int64_t>(table.usual)};
    file.shared(in_table(of, t, schema::feature_form), std::span<const std::int64_t>(form));
    if (!table.names.empty()) {
      file.strings(in_table(of, t, schema::feature_name), comm.is_root() ? table.columns : 0,
                   [&](std::int64_t column) -> std::string_view { return table.names[column]; });
    }
    write_row_begin(comm, file, in_table(of, t, schema::row_begin), table.rows.row_begin, table.rows.size());
    file.rows(in_table(of, t, schema::feature_column), std::span<const std::int64_t>(table.rows.other));
    file.rows(in_table(of, t, schema::weight), std::span<const float>(table.rows.weight));
  }
}

std::vector<FeatureTable> read_features(const Communicator& comm, const h5::Reader& file, const std::string& of,
                                        const Distribution& blocks) {
  std::vector<FeatureTable> tables;
  while (file.has_group_of(in_table(of, tables.size(), schema::feature_form))) {
    tables.push_back(read_table(comm, file, of, tables.size(), blocks));
  }
  return tables;
}

}  // namespace cohort
