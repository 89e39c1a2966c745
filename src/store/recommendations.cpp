#include "store/recommendations.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "store/schema.hpp"

namespace cohort {

void write_recommendations(h5::Writer& file, const Recommendations& recommendations) {
  const auto n = recommendations.count;
  file.attribute(schema::recommend_strategy, recommendations.strategy);
  file.attribute(schema::recommend_count, n);
  file.real_attribute(schema::recommend_smoothing, recommendations.smoothing);
  file.real_attribute(schema::recommend_blend_weight, recommendations.blend_weight);
  file.table(schema::users_recommended, std::span<const std::int64_t>(recommendations.item), n);
  file.table(schema::users_recommended_score, std::span<const float>(recommendations.score), n);
  file.shared_table(schema::segments_recommended, std::span<const std::int64_t>(recommendations.segment_item), n);
  file.shared_table(schema::segments_recommended_score, std::span<const float>(recommendations.segment_score), n);
  file.shared_table(schema::segments_recommended_known, std::span<const std::int32_t>(recommendations.segment_known),
                    n);
}

std::optional<Recommendations> read_recommendations(const Communicator& comm, const h5::Reader& file,
                                                    const Distribution& users, std::int64_t items,
                                                    std::int64_t segments) {
  if (!file.has_attribute(schema::recommend_strategy)) return std::nullopt;
  Recommendations result;
  result.strategy = file.text_attribute(schema::recommend_strategy);
  result.count = file.integer_attribute(schema::recommend_count);
  result.smoothing = file.real_attribute(schema::recommend_smoothing);
  result.blend_weight = file.real_attribute(schema::recommend_blend_weight);
  comm.attempt([&] {
    if (result.count < 1) throw InputError(file.path() + ": recommend_count is " + std::to_string(result.count));
  });
  const auto first = users.begin(comm.rank());
  const auto count = users.count(comm.rank());
  result.item = file.table<std::int64_t>(schema::users_recommended, first, count, result.count);
  result.score = file.table<float>(schema::users_recommended_score, first, count, result.count);
  result.segment_item = file.table<std::int64_t>(schema::segments_recommended, 0, segments, result.count);
  result.segment_score = file.table<float>(schema::segments_recommended_score, 0, segments, result.count);
  result.segment_known = file.table<std::int32_t>(schema::segments_recommended_known, 0, segments, result.count);
  comm.attempt([&] {
    for (const auto* list : {&result.item, &result.segment_item}) {
      if (std::ranges::any_of(*list, [&](std::int64_t item) { return item < -1 || item >= items; })) {
        throw InputError(file.path() + ": recommends items that the file does not have; run `cohort recommend` again");
      }
    }
  });
  return result;
}

}  // namespace cohort
