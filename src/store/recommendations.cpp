#include "store/recommendations.hpp"

#include <cmath>
#include <limits>
#include <span>

#include "core/error.hpp"
#include "store/checked_values.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

// Items of the file with a score, or none (-1) without (NaN).
void check_list(const Communicator& comm, const h5::Reader& file, const std::string& item_name,
                std::span<const std::int64_t> item, const std::string& score_name, std::span<const float> score,
                std::int64_t items) {
  check_numbers(comm, file, item_name, item, -1, items, "items");
  comm.attempt([&] {
    for (std::size_t i = 0; i < item.size(); ++i) {
      if (std::isfinite(score[i]) != (item[i] >= 0)) {
        throw file.wrong(score_name, "does not go with /" + item_name);
      }
    }
  });
}

}  // namespace

void write_recommendations(h5::Writer& file, const Recommendations& recommendations) {
  const auto n = recommendations.count;
  file.attribute(schema::recommend_strategy, recommendations.strategy);
  file.attribute(schema::recommend_count, n);
  file.real_attribute(schema::recommend_smoothing, recommendations.smoothing);
  file.real_attribute(schema::recommend_blend_weight, recommendations.blend_weight);
  file.real_attribute(schema::recommend_filter_ridge, recommendations.filter_ridge);
  file.real_attribute(schema::recommend_filter_power, recommendations.filter_power);
  file.real_attribute(schema::recommend_filter_weight, recommendations.filter_weight);
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
  result.count = file.integer_attribute(schema::recommend_count, 1);
  result.smoothing = file.real_attribute(schema::recommend_smoothing);
  result.blend_weight = file.real_attribute(schema::recommend_blend_weight);
  const auto if_there = [&](const char* name, double otherwise = std::numeric_limits<double>::quiet_NaN()) {
    return file.has_attribute(name) ? file.real_attribute(name) : otherwise;
  };
  result.filter_ridge = if_there(schema::recommend_filter_ridge, 0);
  result.filter_power = if_there(schema::recommend_filter_power);
  result.filter_weight = if_there(schema::recommend_filter_weight);
  result.item = file.table<std::int64_t>(schema::users_recommended, users, result.count);
  result.score = file.table<float>(schema::users_recommended_score, users, result.count);
  result.segment_item = file.whole_table<std::int64_t>(schema::segments_recommended, segments, result.count);
  result.segment_score = file.whole_table<float>(schema::segments_recommended_score, segments, result.count);
  result.segment_known = file.whole_table<std::int32_t>(schema::segments_recommended_known, segments, result.count);
  check_list(comm, file, schema::users_recommended, result.item, schema::users_recommended_score, result.score, items);
  check_list(comm, file, schema::segments_recommended, result.segment_item, schema::segments_recommended_score,
             result.segment_score, items);
  check_numbers(comm, file, schema::segments_recommended_known, std::span<const std::int32_t>(result.segment_known), 0,
                2, "marks");
  return result;
}

}  // namespace cohort
