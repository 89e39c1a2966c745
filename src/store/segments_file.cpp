#include "store/segments_file.hpp"

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "store/checked_values.hpp"
#include "store/h5.hpp"
#include "store/id_rows.hpp"
#include "store/levels.hpp"
#include "store/profiles.hpp"
#include "store/provenance.hpp"
#include "store/recommendations.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

// Who is in which segment, and how many in each. Collective.
void read_membership(const Communicator& comm, const h5::Reader& file, const Distribution& users,
                     std::vector<std::int32_t>& segment, std::vector<std::int64_t>& size) {
  size = file.all<std::int64_t>(schema::size);
  segment = file.rows<std::int32_t>(schema::users_segment, users);
  check_numbers<std::int32_t>(comm, file, schema::users_segment, segment, 0, std::ssize(size), "segments");
  std::vector<std::int64_t> counted;
  comm.attempt([&] {
    counted.assign(size.size(), 0);
    for (const auto s : segment) ++counted[s];
  });
  comm.sum_in_place(std::span<std::int64_t>(counted));
  if (counted != size) throw file.wrong(schema::size, "does not count /" + std::string(schema::users_segment));
}

std::int64_t read_largest_number(const h5::Reader& file, const std::vector<std::int64_t>& number, std::int64_t count) {
  if (number.empty()) return count - 1;
  return file.integer_attribute(schema::largest_number, number.back());
}

void write_succession(h5::Writer& file, const Segments& segments) {
  if (!segments.succession) return;
  const auto& succession = *segments.succession;
  file.shared(schema::segment_number, std::span<const std::int64_t>(segments.number));
  file.shared(schema::appeared, std::span<const std::int64_t>(succession.appeared));
  file.shared(schema::vanished, std::span<const std::int64_t>(succession.vanished));
  file.attribute(schema::largest_number, succession.largest_number);
  file.attribute(schema::common_users, succession.common);
  file.attribute(schema::stayed_users, succession.stayed);
}

void read_succession(const h5::Reader& file, Segments& segments) {
  segments.number = read_numbers(file, schema::segment_number, std::ssize(segments.size));
  if (segments.number.empty()) {
    if (file.has(schema::appeared)) throw file.wrong(schema::segment_number, "is missing");
    return;
  }
  auto& succession = segments.succession.emplace();
  succession.largest_number = read_largest_number(file, segments.number, std::ssize(segments.size));
  succession.appeared = file.all<std::int64_t>(schema::appeared);
  succession.vanished = file.all<std::int64_t>(schema::vanished);
  succession.common = file.integer_attribute(schema::common_users, 0);
  succession.stayed = file.integer_attribute(schema::stayed_users, 0);
}

Matrix read_rows(const Communicator& comm, const h5::Reader& file, const char* name, const Distribution& blocks,
                 std::int64_t columns) {
  if (file.shape(name) != std::vector{blocks.total(), columns}) {
    throw file.wrong(name, "has another shape than the other datasets of the file go with");
  }
  auto matrix = file.matrix(name, blocks);
  check_finite(comm, file, name, matrix.view());
  return matrix;
}

void read_embeddings(const Communicator& comm, const h5::Reader& file, SegmentsFile& result) {
  auto& segments = result.segments;
  segments.centroid = file.whole_matrix(schema::centroid);
  file.expect_rows(schema::centroid, std::ssize(segments.size));
  check_finite(comm, file, schema::centroid, segments.centroid.view());
  const auto columns = segments.centroid.columns();
  segments.users = read_rows(comm, file, schema::users_embedding, result.users.distribution, columns);
  if (result.items.total() == 0) return;
  const auto& items = result.items.distribution;
  segments.items = read_rows(comm, file, schema::items_embedding, items, columns);
  if (!file.has(schema::items_fold_in)) return;
  auto& fold_in = result.fold_in.emplace();
  fold_in.rows = read_rows(comm, file, schema::items_fold_in, items, columns);
  fold_in.users = file.rows<std::int64_t>(schema::items_users, items);
  check_not_negative<std::int64_t>(comm, file, schema::items_users, fold_in.users);
}

}  // namespace

void write_segments_file(const Communicator& comm, const std::string& path, const SegmentsFile& result) {
  const auto& segments = result.segments;
  h5::Writer file(comm, path);
  write_provenance(file, schema::segments_kind, result.provenance);
  file.attribute(schema::shards, result.shards);
  file.attribute(schema::epochs, result.epochs);
  write_ids(file, schema::users_id, result.users);
  file.rows(schema::users_segment, std::span<const std::int32_t>(segments.segment));
  file.rows(schema::users_distance, std::span<const float>(segments.distance));
  file.rows(schema::users_margin, std::span<const float>(segments.margin));
  file.table(schema::users_map, std::span<const float>(segments.map), 2);
  file.rows(schema::users_embedding, segments.users.view());
  if (result.items.total() > 0) {
    write_ids(file, schema::items_id, result.items);
    file.rows(schema::items_embedding, segments.items.view());
  }
  if (result.fold_in) {
    file.rows(schema::items_fold_in, result.fold_in->rows.view());
    file.rows(schema::items_users, std::span<const std::int64_t>(result.fold_in->users));
  }
  file.shared(schema::centroid, segments.centroid.view());
  file.shared(schema::size, std::span<const std::int64_t>(segments.size));
  write_succession(file, segments);
  file.shared(schema::loss_history, std::span<const double>(segments.loss));
  file.shared(schema::inertia, std::span<const double>(segments.inertia));
  if (result.recommendations) write_recommendations(file, *result.recommendations);
  if (result.profiles) write_profiles(comm, file, schema::profile, *result.profiles);
  write_levels(comm, file, result);
  write_history(file, result.history);
  file.commit();
}

SegmentsFile read_segments_file(const Communicator& comm, const std::string& path, SegmentsPart part) {
  const h5::Reader file(comm, path);
  SegmentsFile result;
  result.provenance = read_provenance(file, schema::segments_kind);
  result.shards = file.integer_attribute(schema::shards, 0);
  result.epochs = file.integer_attribute(schema::epochs, 0);
  result.users = read_ids(comm, file, schema::users_id);
  result.items = read_ids(comm, file, schema::items_id);
  auto& segments = result.segments;
  const auto& users = result.users.distribution;
  read_membership(comm, file, users, segments.segment, segments.size);
  read_succession(file, segments);
  segments.distance = file.rows<float>(schema::users_distance, users);
  check_finite<float>(comm, file, schema::users_distance, segments.distance);
  segments.margin = file.rows<float>(schema::users_margin, users);
  const bool alone = segments.size.size() == 1;
  check_each<float>(
      comm, file, schema::users_margin, segments.margin,
      [&](float margin) { return alone ? margin == std::numeric_limits<float>::infinity() : std::isfinite(margin); },
      alone ? "is not infinite, although there is one segment" : "holds numbers that are not finite");
  if (part != SegmentsPart::membership) read_embeddings(comm, file, result);
  if (part != SegmentsPart::everything) {
    read_levels(comm, file, part, result);
    return result;
  }
  segments.map = file.table<float>(schema::users_map, users, 2);
  check_finite<float>(comm, file, schema::users_map, segments.map);
  file.expect_rows(schema::loss_history, result.epochs);
  segments.loss = file.all<double>(schema::loss_history);
  check_finite<double>(comm, file, schema::loss_history, segments.loss);
  segments.inertia = file.all<double>(schema::inertia);
  const auto count = std::ssize(segments.size);
  result.recommendations = read_recommendations(comm, file, users, result.items.total(), count);
  result.profiles = read_profiles(comm, file, schema::profile, {count, users.total(), result.items.total()});
  read_levels(comm, file, part, result);
  result.history = read_history(file);
  return result;
}

UserSegments read_user_segments(const Communicator& comm, const std::string& path) {
  const h5::Reader file(comm, path);
  read_provenance(file, schema::segments_kind);
  UserSegments result;
  result.users = read_ids(comm, file, schema::users_id);
  read_membership(comm, file, result.users.distribution, result.segment, result.size);
  result.number = read_numbers(file, schema::segment_number, std::ssize(result.size));
  result.largest_number = read_largest_number(file, result.number, std::ssize(result.size));
  return result;
}

}  // namespace cohort
