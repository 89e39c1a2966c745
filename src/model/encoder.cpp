#include "model/encoder.hpp"

#include "core/error.hpp"
#include "model/lightgcn.hpp"

namespace cohort {

std::unique_ptr<Encoder> make_encoder(const Communicator& comm, const ModelConfig& model, Propagation& propagation) {
  switch (model.encoder) {
    case EncoderKind::automatic:
    case EncoderKind::lightgcn:
      return std::make_unique<LightGcn>(comm, propagation, model.layers);
    case EncoderKind::spectral:
      break;
  }
  COHORT_CHECK(false, "an encoder that is not trained");
  return nullptr;
}

}  // namespace cohort
