#include "cli/stages/trained_segments.hpp"

#include <algorithm>
#include <string>

#include "cli/output/logging.hpp"
#include "cluster/assigned.hpp"
#include "core/error.hpp"
#include "core/words.hpp"
#include "kernels/scores.hpp"
#include "train/choices.hpp"

namespace cohort {

namespace {

// Of training's last state; k x d.
const Matrix& trained(const Session& session, const ModelFile& model, const std::string& name, std::int64_t rows,
                      std::int64_t columns) {
  const auto& matrices = model.model.state.replicated;
  const auto found = matrices.find(name);
  if (found == matrices.end() || found->second.rows() != rows || found->second.columns() != columns) {
    throw InputError(session.model_path() + " has no " + name + " of " + counted(rows, "segment") + " and " +
                     counted(columns, "column") + "; run `cohort train` again");
  }
  return found->second;
}

std::vector<std::int32_t> largest_share(ConstMatrixView points, const Matrix& weight, const Matrix& bias) {
  const PackedRows packed(weight.view());
  // nearest_rows takes the least offset - 2 <x, w>.
  std::vector<float> offset;
  for (std::int64_t j = 0; j < weight.rows(); ++j) offset.push_back(-2 * bias.row(0)[j]);
  std::vector<std::int32_t> segment(points.rows);
  nearest_rows(points, packed, offset, segment);
  return segment;
}

}  // namespace

KmeansResult segments_of_model(const Session& session, const ModelFile& model, const PointSet& points,
                               const KmeansOptions& options) {
  const auto& comm = session.comm();
  const auto& config = session.config();
  const auto columns = points.rows.columns;
  if (config.train.joint) {
    Matrix centres;
    comm.attempt([&] { centres = copy_of(trained(session, model, centres_name, options.count, columns).view()); });
    auto found = assigned_to_centres(comm, points, std::move(centres), true, options.or_fewer);
    if (found.reseeded > 0) {
      spdlog::warn("segment: {} had no user left and took the farthest ones",
                   counted(found.reseeded, "trained centre"));
    }
    return found;
  }
  if (encoder_of(config) == EncoderKind::spectral || config.train.loss != LossKind::dmon) {
    return kmeans(comm, points, options);
  }
  std::vector<std::int32_t> segment;
  const auto soft = config.segment.count;  // of which those that are nobody's largest are no segments
  comm.attempt([&] {
    segment = largest_share(points.rows, trained(session, model, head_weight, soft, columns),
                            trained(session, model, head_bias, 1, soft));
  });
  auto found = given_clusters(comm, points, segment, soft);
  if (const auto left = std::ssize(found.size); left < soft) {
    spdlog::warn("segment: {} of the {} soft segments are nobody's largest; {} are left", soft - left, soft, left);
  }
  return found;
}

}  // namespace cohort
