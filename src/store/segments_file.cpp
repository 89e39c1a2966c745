#include "store/segments_file.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "store/h5.hpp"
#include "store/id_rows.hpp"
#include "store/schema.hpp"

namespace cohort {

namespace {

// Throws InputError where a user's segment is not one of the file's. Collective.
void check_segments(const Communicator& comm, const std::string& path, const std::vector<std::int32_t>& segment,
                    std::int64_t count) {
  comm.attempt([&] {
    if (std::any_of(segment.begin(), segment.end(), [&](std::int32_t s) { return s < 0 || s >= count; })) {
      throw InputError(path + ": /users/segment names segments that the file does not have");
    }
  });
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
  file.shared(schema::loss_history, std::span<const double>(segments.loss));
  file.shared(schema::inertia, std::span<const double>(segments.inertia));
  if (result.recommendations) write_recommendations(file, *result.recommendations);
  if (result.profiles) write_profiles(comm, file, *result.profiles);
  write_history(file, result.history);
  file.commit();
}

SegmentsFile read_segments_file(const Communicator& comm, const std::string& path) {
  const h5::Reader file(comm, path);
  SegmentsFile result;
  result.provenance = read_provenance(file, schema::segments_kind);
  result.shards = file.integer_attribute(schema::shards);
  result.epochs = file.integer_attribute(schema::epochs);
  result.users = read_ids(comm, file, schema::users_id);
  result.items = read_ids(comm, file, schema::items_id);
  auto& segments = result.segments;
  const auto& users = result.users.distribution;
  const std::int64_t first = users.begin(comm.rank());
  const std::int64_t count = users.count(comm.rank());
  segments.segment = file.rows<std::int32_t>(schema::users_segment, first, count);
  segments.distance = file.rows<float>(schema::users_distance, first, count);
  segments.margin = file.rows<float>(schema::users_margin, first, count);
  segments.map = file.table<float>(schema::users_map, first, count, 2);
  segments.users = file.matrix(schema::users_embedding, first, count);
  if (result.items.total() > 0) {
    const auto& items = result.items.distribution;
    segments.items = file.matrix(schema::items_embedding, items.begin(comm.rank()), items.count(comm.rank()));
    if (file.has(schema::items_fold_in)) {
      result.fold_in.emplace();
      result.fold_in->rows = file.matrix(schema::items_fold_in, items.begin(comm.rank()), items.count(comm.rank()));
      result.fold_in->users =
          file.rows<std::int64_t>(schema::items_users, items.begin(comm.rank()), items.count(comm.rank()));
    }
  }
  segments.size = file.all<std::int64_t>(schema::size);
  segments.centroid = file.matrix(schema::centroid, 0, std::ssize(segments.size));
  segments.loss = file.all<double>(schema::loss_history);
  segments.inertia = file.all<double>(schema::inertia);
  check_segments(comm, path, segments.segment, std::ssize(segments.size));
  result.recommendations = read_recommendations(comm, file, users, result.items.total(), std::ssize(segments.size));
  result.profiles = read_profiles(comm, file, std::ssize(segments.size));
  result.history = read_history(file);
  return result;
}

UserSegments read_user_segments(const Communicator& comm, const std::string& path) {
  const h5::Reader file(comm, path);
  read_provenance(file, schema::segments_kind);
  UserSegments result;
  result.users = read_ids(comm, file, schema::users_id);
  const auto& users = result.users.distribution;
  result.segment = file.rows<std::int32_t>(schema::users_segment, users.begin(comm.rank()), users.count(comm.rank()));
  result.size = file.all<std::int64_t>(schema::size);
  check_segments(comm, path, result.segment, std::ssize(result.size));
  return result;
}

}  // namespace cohort
