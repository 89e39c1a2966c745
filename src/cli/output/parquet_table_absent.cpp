// Instead of parquet_table.cpp where the libraries are not there.
#include "cli/output/table_sink.hpp"
#include "core/error.hpp"

namespace cohort {

std::unique_ptr<TableSink> make_parquet_sink(const std::string& path, const std::vector<TableColumn>& /*columns*/) {
  throw InputError("cannot write " + (path.empty() ? "Parquet" : path) +
                   ": this build of Cohort writes no Parquet, being made without Arrow C++. Build it where "
                   "scripts/bootstrap.sh has provided that, or give --format csv or jsonl");
}

}  // namespace cohort
