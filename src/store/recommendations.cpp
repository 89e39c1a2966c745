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

void write_segment_lists(h5::Writer& file, const std::string& group, const SegmentLists& lists, std::int64_t count) {
  file.shared_table(group + "/item", std::span<const std::int64_t>(lists.item), count);
  file.shared_table(group + "/score", std::span<const float>(lists.score), count);
  file.shared_table(group + "/known", std::span<const std::int32_t>(lists.known), count);
}

SegmentLists read_segment_lists(const Communicator& comm, const h5::Reader& file, const std::string& group,
                                const ListCounts& counts) {
  SegmentLists lists;
  lists.item = file.whole_table<std::int64_t>(group + "/item", counts.segments, counts.length);
  lists.score = file.whole_table<float>(group + "/score", counts.segments, counts.length);
  lists.known = file.whole_table<std::int32_t>(group + "/known", counts.segments, counts.length);
  check_list(comm, file, group + "/item", lists.item, group + "/score", lists.score, counts.items);
  check_numbers(comm, file, group + "/known", std::span<const std::int32_t>(lists.known), 0, 2, "marks");
  return lists;
}

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
  if (recommendations.level > 0) file.attribute(schema::recommend_level, recommendations.level);
  write_segment_lists(file, schema::segments_recommended, recommendations.of_segments, n);
}

std::optional<Recommendations> read_recommendations(const Communicator& comm, const h5::Reader& file,
                                                    const Distribution& users, std::int64_t items,
                                                    std::int64_t segments) {
  if (!file.has_attribute(schema::recommend_strategy)) {
    if (!file.has(schema::users_recommended)) return std::nullopt;
    throw InputError(file.path() + " has recommendations, but no attribute " + schema::recommend_strategy);
  }
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
  if (file.has_attribute(schema::recommend_level)) result.level = file.integer_attribute(schema::recommend_level, 1);
  check_list(comm, file, schema::users_recommended, result.item, schema::users_recommended_score, result.score, items);
  result.of_segments = read_segment_lists(comm, file, schema::segments_recommended, {segments, result.count, items});
  return result;
}

}  // namespace cohort
