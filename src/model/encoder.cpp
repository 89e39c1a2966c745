#include "model/encoder.hpp"

#include "core/error.hpp"
#include "model/lightgcn.hpp"
#include "model/network.hpp"

namespace cohort {

std::unique_ptr<Encoder> make_encoder(const Communicator& comm, const ModelConfig& model, std::uint64_t seed,
                                      Propagation& propagation, const InputFeatures& features) {
  switch (model.encoder) {
    case EncoderKind::automatic:
    case EncoderKind::lightgcn:
      return std::make_unique<LightGcn>(comm, propagation, model.layers);
    case EncoderKind::gcn:
    case EncoderKind::sage:
      return std::make_unique<Network>(
          comm, propagation,
          NetworkOptions{model.encoder, model.widths, model.activation, static_cast<int>(model.smoothings), seed},
          features);
    case EncoderKind::spectral:
      break;
  }
  COHORT_CHECK(false, "an encoder that is not trained");
  return nullptr;
}

}  // namespace cohort
