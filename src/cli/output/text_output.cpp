#include "cli/output/text_output.hpp"

namespace cohort {

TextOutput::TextOutput(const Communicator& comm, const std::string& path) : comm_(comm) {
  comm_.attempt([&] {
    if (comm_.is_root()) file_ = std::make_unique<OutputFile>(path);
  });
}

void TextOutput::write(const std::function<bool(std::string&)>& next) {
  std::string piece;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    for (bool more = true; more;) {
      comm_.attempt([&] {
        piece.clear();
        more = rank == comm_.rank() && next(piece);
      });
      more = comm_.any(more);
      const auto got = comm_.gather(std::span<const char>(piece)).data;
      comm_.attempt([&] {
        if (comm_.is_root()) file_->write({got.data(), got.size()});
      });
    }
  }
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
