// How a rank gets at the rows of its ghosts. Ranks of the same machine read each other's rows where they lie, in shared
// memory: nothing is copied, and a row that several ranks need is in the machine's caches once. Rows of other machines
// are received behind the owned ones. For row_exchange.hpp, and for whoever propagates over a graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/exchange_plan.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// Whose rows are read where they lie.
enum class HaloReach {
  machine,  ///< those of the ranks of this machine, if each of its ranks can open the others' memory
  nobody,   ///< every ghost is received: what ranks of different machines do, for tests and benchmarks
};

/// How many rows a HaloMatrix has, of a rank that need not be there. For estimates; local.
struct HaloRows {
  std::int64_t owned = 0;
  std::int64_t ghosts = 0;      ///< rows of other ranks that this one reads
  std::int64_t received = 0;    ///< those of them that it keeps a copy of, being on another machine
  std::int64_t neighbours = 0;  ///< all rows of the ranks of its machine that it reads from

  /// Owned rows and ghosts.
  std::int64_t local() const { return owned + ghosts; }
  /// What a HaloMatrix takes of the machine.
  std::int64_t bytes(std::int64_t columns) const;
  /// What of the neighbours' memory shows as resident in this process too, once their rows have been read.
  std::int64_t seen_bytes(std::int64_t columns) const;
};

/// Where the rows of a HaloMatrix are, for an exchange of `plan` between matrices of `columns` columns.
class HaloLayout {
 public:
  /// owned: rows of this rank, those that the plan sends among them. Collective.
  HaloLayout(const Communicator& comm, const ExchangePlan& plan, std::int64_t owned, std::int64_t columns,
             HaloReach reach = HaloReach::machine);

  std::int64_t owned() const { return owned_; }
  std::int64_t columns() const { return columns_; }
  /// The row of a HaloMatrix where the k-th row that the plan receives is to be found.
  std::span<const LocalRow> ghost_row() const { return ghost_row_; }
  /// What moves by messages: source rows are owned rows, destination row 0 is first_received().
  const ExchangePlan& messages() const { return messages_; }
  std::int64_t first_received() const { return first_received_; }
  /// The other ranks that read rows of this rank where they lie, or whose rows this rank so reads; ascending.
  std::span<const int> neighbours() const { return neighbours_; }
  /// Rows that other ranks get of this one in an exchange, one way or the other.
  std::int64_t sent_rows() const { return sent_rows_; }

 private:
  friend class HaloMatrix;
  void read_in_place(const Communicator& comm, const ExchangePlan& plan, std::span<const int> machine);

  std::int64_t owned_;
  std::int64_t columns_;
  std::int64_t first_received_;
  std::int64_t sent_rows_;
  std::vector<LocalRow> ghost_row_;
  ExchangePlan messages_;
  std::vector<int> neighbours_;
  std::vector<std::int64_t> neighbour_row_;    ///< by neighbour: where its first row is
  std::vector<std::int64_t> neighbour_owned_;  ///< and how many it has
};

/// A rank's owned rows, rows received behind them, and the owned rows of its neighbours, read-only; zeroed. Rows are
/// numbered as its layout says. Shared memory belongs to no file system: it goes with the processes, however they end.
class HaloMatrix {
 public:
  /// Without rows.
  HaloMatrix() = default;
  /// Throws RunError where there is no memory. Collective.
  HaloMatrix(const Communicator& comm, const HaloLayout& layout);

  std::int64_t columns() const { return view_.columns; }
  std::int64_t stride() const { return view_.stride; }
  float* row(std::int64_t index) { return view_.row(index); }
  const float* row(std::int64_t index) const { return view_.row(index); }
  /// The owned rows; by their numbers, ghosts are reached too.
  MatrixView view() { return view_; }
  ConstMatrixView view() const { return view_; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(std::byte* address) const;
  };

  std::unique_ptr<std::byte, Unmap> addresses_;
  MatrixView view_;
};

}  // namespace cohort
