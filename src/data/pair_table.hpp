// Making and moving PairTables: from records scattered over the ranks to sorted, merged rows at their owners.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "core/config.hpp"
#include "data/dataset.hpp"
#include "data/huge_vector.hpp"

namespace cohort {

/// Records in no order, with global numbers. Entry i of every list is record i.
struct RawPairs {
  HugeVector<std::int64_t> row;
  HugeVector<std::int64_t> other;
  HugeVector<float> weight;
  HugeVector<double> time;  ///< empty: no times (then on all ranks)
  bool has_time = false;
};

/// What one row has of another.
struct PairRecord {
  std::int64_t other;
  float weight;
  double time;
};

/// Merges the records of one row that are of the same other, as make_pair_table says; leaves them ascending by other.
/// Local.
void merge_repeats(std::vector<PairRecord>& row, Repeats repeats);

struct MergedPairs {
  PairTable table;
  std::vector<std::int64_t> records;  ///< of each of this rank's rows, before repeats were merged
  std::int64_t merged = 0;            ///< records of this rank's rows that became part of another one
};

/// Sends every record to the owner of its row and merges those of the same row and other: weights are summed in
/// ascending order (float64, then rounded to float32), or as `repeats` says, and of times the latest stays. The last
/// (first) record is that of the latest (earliest) time, of several the one of the largest weight. The result does not
/// depend on where and in which order records were. Collective.
MergedPairs make_pair_table(const Communicator& comm, const Distribution& rows, RawPairs records,
                            Repeats repeats = Repeats::sum);

/// Drops the entries whose `keep` is 0. Local.
PairTable keep_entries(const PairTable& table, const std::vector<char>& keep);

/// Moves rows: this rank holds rows first_row, first_row + 1, ... and gets its block of `to`. Collective.
PairTable move_rows(const Communicator& comm, const PairTable& table, std::int64_t first_row, const Distribution& to);

}  // namespace cohort
