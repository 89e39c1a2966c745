// Instead of the other parquet_*.cpp where the libraries are not there.
#include "core/error.hpp"
#include "ingest/files/parquet_file.hpp"

namespace cohort {

ParquetHead parquet_head(const std::string& path) {
  throw InputError(path + ": is a Parquet file, and this build of Cohort reads none: it was made without Arrow C++. " +
                   "Build it where scripts/bootstrap.sh has provided that, or write the table as CSV");
}

void read_parquet(const OpenedFile& file, int /*rank*/, int /*ranks*/,
                  const std::function<void(const LineBlock&)>& /*parse*/) {
  parquet_head(file.path);
}

void read_parquet_columns(const OpenedFile& file, int /*rank*/, int /*ranks*/,
                          const std::function<void(const ColumnBlock&)>& /*parse*/) {
  parquet_head(file.path);
}

}  // namespace cohort
