#include "cli/output/text_output.hpp"

namespace cohort {

void gather_pieces(const Communicator& comm, const std::function<bool(std::string&)>& next,
                   const std::function<void(std::string_view)>& take) {
  std::string piece;
  for (int rank = 0; rank < comm.size(); ++rank) {
    for (bool more = true; more;) {
      comm.attempt([&] {
        piece.clear();
        more = rank == comm.rank() && next(piece);
      });
      more = comm.any(more);
      const auto got = comm.gather(std::span<const char>(piece)).data;
      comm.attempt([&] {
        if (comm.is_root()) take({got.data(), got.size()});
      });
    }
  }
}

TextOutput::TextOutput(const Communicator& comm, const std::string& path) : comm_(comm) {
  comm_.attempt([&] {
    if (comm_.is_root()) file_ = std::make_unique<OutputFile>(path);
  });
}

void TextOutput::write(const std::function<bool(std::string&)>& next) {
  gather_pieces(comm_, next, [&](std::string_view piece) { file_->write(piece); });
}

void TextOutput::write_once(const std::string& text) {
  comm_.attempt([&] {
    if (comm_.is_root()) file_->write(text);
  });
}

void TextOutput::commit() {
  comm_.attempt([&] {
    if (comm_.is_root()) file_->commit();
  });
}

}  // namespace cohort
