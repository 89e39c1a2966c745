// Text of all ranks in the order of ranks, through rank 0, a piece at a time: for output that no rank could hold.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "comm/communicator.hpp"
#include "core/output_file.hpp"

namespace cohort {

/// Every rank's pieces on rank 0, those of rank 0 first: next(piece) fills in a rank's next piece, false after its
/// last; take(piece) is called on rank 0. What either throws ends all ranks. Collective.
void gather_pieces(const Communicator& comm, const std::function<bool(std::string&)>& next,
                   const std::function<void(std::string_view)>& take);

class TextOutput {
 public:
  /// As core/output_file.hpp has it; rank 0 writes. Throws InputError. Collective.
  TextOutput(const Communicator& comm, const std::string& path);

  /// Every rank's pieces, those of rank 0 first: next(piece) fills in a rank's next piece, false after its last. Throws
  /// RunError where writing fails. Collective.
  void write(const std::function<bool(std::string&)>& next);
  /// What rank 0 says, once.
  void write_once(const std::string& text);
  /// Ends the file. Collective.
  void commit();

 private:
  Communicator comm_;
  std::unique_ptr<OutputFile> file_;  // rank 0's
};

}  // namespace cohort
