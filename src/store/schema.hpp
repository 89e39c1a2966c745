// Names of everything in Cohort's files, in one place. docs/file-formats.md describes them; a change that an older
// reader would not understand raises schema_version.
#pragma once

#include <cstdint>

namespace cohort::schema {

inline constexpr std::int64_t version = 2;

// What a file is: the attribute "kind".
inline constexpr auto graph_kind = "graph";
inline constexpr auto model_kind = "model";
inline constexpr auto segments_kind = "segments";

// Attributes of the root group of every file.
inline constexpr auto kind = "kind";
inline constexpr auto schema_version = "schema_version";
inline constexpr auto cohort_version = "cohort_version";
inline constexpr auto git_revision = "git_revision";
inline constexpr auto configuration = "configuration";  ///< the whole of it, TOML
inline constexpr auto seed = "seed";
inline constexpr auto ranks = "ranks";
inline constexpr auto threads = "threads";  ///< of a rank
inline constexpr auto vector_target = "vector_target";
inline constexpr auto input_path = "input_path";  ///< one entry for each input file, as in the two below
inline constexpr auto input_bytes = "input_bytes";
inline constexpr auto input_sha256 = "input_sha256";
inline constexpr auto follows_path = "follows_path";  ///< of results that it goes on from, if any, as the three above
inline constexpr auto follows_bytes = "follows_bytes";
inline constexpr auto follows_sha256 = "follows_sha256";
inline constexpr auto shards = "shards";  ///< where the graph is partitioned
inline constexpr auto epochs = "epochs";  ///< model and segments: whole ones, trained so far
inline constexpr auto step = "step";      ///< model: steps done of the epoch after them

inline constexpr auto graph_hash = "graph_hash";  ///< model: of the graph and the partition that it was trained on
inline constexpr auto partition_hash = "partition_hash";

// Datasets of all files. U users, I items, N = U + I nodes, d columns.
inline constexpr auto users_id = "users/id";            ///< (U) string, in the order of all user datasets
inline constexpr auto items_id = "items/id";            ///< (I) string; absent where the graph has no items
inline constexpr auto timing = "history/timing";        ///< group: seconds of each rank, by phase
inline constexpr auto traffic = "history/traffic";      ///< group: counts of each rank, by what
inline constexpr auto choice = "history/choice";        ///< group: columns of what training was tried with
inline constexpr auto joint = "history/joint";          ///< group: columns, a row for each epoch of the joint phase
inline constexpr auto count_history = "history/count";  ///< group: columns of the numbers of segments that were tried
inline constexpr auto loss_history = "history/loss";    ///< (epochs) float64
inline constexpr auto inertia = "history/inertia";      ///< (iterations) float64

// Checksums of every dataset, under its name: (MiB of its bytes, rounded up) uint32, CRC-32.
inline constexpr auto checksums = "checksums";

// graph.h5: groups of pairs in compressed rows.
inline constexpr auto interactions = "interactions";  ///< row_begin (U + 1), item, weight[, time]
inline constexpr auto holdout = "holdout";            ///< the same, for evaluate; absent if nothing is held out
inline constexpr auto neighbours = "neighbours";      ///< the same for users joined by what they share
inline constexpr auto nodes = "nodes";                ///< attribute: what the nodes are, as graph.kind; absent: both
inline constexpr auto users_alone = "user";
inline constexpr auto users_and_items = "bipartite";
inline constexpr auto social = "social";          ///< row_begin (U + 1), user, weight; absent if there is none
inline constexpr auto features = "features";      ///< group: user/N and item/N, the N-th file of each, as below
inline constexpr auto feature_column = "column";  ///< beside row_begin and weight
inline constexpr auto feature_name = "name";      ///< (columns) string; absent for arrays, and in older files
inline constexpr auto feature_form = "form";      ///< (3) int64: columns, whether dense, what scaling is usual
inline constexpr auto row_begin = "row_begin";
inline constexpr auto item = "item";
inline constexpr auto user = "user";
inline constexpr auto weight = "weight";
inline constexpr auto time = "time";
inline constexpr auto partition_shard = "partition/shard";  ///< (N) int32: the shard of every node
inline constexpr auto partition_cost = "partition/cost";    ///< (S) int64: what the cut points over ranks balance

// model.h5: rows in the order of nodes, users and then items.
inline constexpr auto embedding = "embedding";  ///< (N, d) propagated
inline constexpr auto centres = "centres";      ///< (k, d) trained ones; absent before the joint phase
// Groups of what training goes on from, by the names that its parts give it (core/saved_state.hpp).
inline constexpr auto state_rows = "rows";              ///< (N, columns) float32 each, as rows/parameters: layer 0
inline constexpr auto state_replicated = "replicated";  ///< (rows, columns) float32 each
inline constexpr auto state_numbers = "numbers";        ///< (1) float64 each

// segments.h5.
inline constexpr auto users_segment = "users/segment";      ///< (U) int32
inline constexpr auto users_distance = "users/distance";    ///< (U) float32
inline constexpr auto users_margin = "users/margin";        ///< (U) float32
inline constexpr auto users_map = "users/map";              ///< (U, 2) float32: along the principal components
inline constexpr auto users_embedding = "users/embedding";  ///< (U, d) float32
inline constexpr auto items_embedding = "items/embedding";  ///< (I, d) float32
inline constexpr auto items_fold_in = "items/fold_in";      ///< (I, d) float32: what an item adds to a new user
inline constexpr auto items_users = "items/users";          ///< (I) int64: training users of every item
inline constexpr auto centroid = "segments/centroid";       ///< (k, d) float32
inline constexpr auto size = "segments/size";               ///< (k) int64
// Where they follow another run's; else a segment's number is its row.
inline constexpr auto segment_number = "segments/number";  ///< (k) int64, ascending
inline constexpr auto appeared = "segments/appeared";      ///< numbers, int64
inline constexpr auto vanished = "segments/vanished";      ///< numbers that the run before had, int64
inline constexpr auto largest_number = "largest_number";   ///< attributes of the root group, with the two below
inline constexpr auto common_users = "common_users";
inline constexpr auto stayed_users = "stayed_users";

// segments.h5, what to recommend; absent before `recommend` has run. n items a list, best first.
inline constexpr auto users_recommended = "users/recommendations/item";         ///< (U, n) int64; -1 where fewer
inline constexpr auto users_recommended_score = "users/recommendations/score";  ///< (U, n) float32; NaN where fewer
// A group of item (k, n) int64, score (k, n) float32, and known (k, n) int32: 1 where most of the segment have it.
inline constexpr auto segments_recommended = "segments/recommendations";
// Attributes of the root group that go with them (store/recommendations.hpp).
inline constexpr auto recommend_strategy = "recommend_strategy";
inline constexpr auto recommend_count = "recommend_count";
inline constexpr auto recommend_smoothing = "recommend_smoothing";        ///< float64; infinite: the global popularity
inline constexpr auto recommend_blend_weight = "recommend_blend_weight";  ///< float64; NaN where the strategy has none
inline constexpr auto recommend_filter_ridge = "recommend_filter_ridge";  ///< float64; NaN alike; older files: 0
inline constexpr auto recommend_filter_power = "recommend_filter_power";  ///< float64; NaN alike; absent in older files
inline constexpr auto recommend_filter_weight = "recommend_filter_weight";  ///< the same
inline constexpr auto recommend_level = "recommend_level";  ///< int64, whose segments users' lists know; with levels

// segments.h5, what characterises each segment; absent before `profile` has run. store/profiles.hpp says what every
// column means. One value a segment: interactions, distinct_items, mean_interactions, median_interactions,
// first_time, last_time, median_last_time, social_inside, social_outside, description. Tables, the rows of segment s
// being row_begin[s] .. row_begin[s + 1]: nearest, representative, border (id, value) and items, categories,
// user_categories (item or attribute, name, count, ...). Numbers by segment and user attribute, (k x A) row by row:
// numeric. Columns that hold nothing are absent.
inline constexpr auto profile = "segments/profile";

// segments.h5, where segments are nested: L levels, the first the coarsest, the last the segments above. Below
// segments/levels/N, N = 1 .. L - 1: size, centroid, profile (as above), recommendations (as above);
// N = 2 .. L: parent, and added (items, categories, user_categories, description as of profile, of each segment among
// the users of the segment above). store/levels.hpp.
inline constexpr auto users_levels = "users/levels";           ///< (U, L) int32: the user's segment at every level
inline constexpr auto level_counts = "segments/levels/count";  ///< (L) int64: segments, ascending
inline constexpr auto levels = "segments/levels";
inline constexpr auto level_parent = "parent";      ///< (k_N) int32: segment of level N - 1
inline constexpr auto level_size = "size";          ///< (k_N) int64
inline constexpr auto level_centroid = "centroid";  ///< (k_N, d) float32
// Where they follow another run's, as of the finest level above.
inline constexpr auto level_number = "number";
inline constexpr auto level_appeared = "appeared";
inline constexpr auto level_vanished = "vanished";
inline constexpr auto level_largest_number = "segments/levels/largest_number";  ///< (L - 1) int64
inline constexpr auto level_stayed_users = "segments/levels/stayed_users";      ///< (L - 1) int64
inline constexpr auto level_profile = "profile";
inline constexpr auto level_added = "added";
inline constexpr auto level_recommended = "recommendations";
inline constexpr auto level_smoothing = "segments/levels/smoothing";  ///< (L) float64, as recommend_smoothing

}  // namespace cohort::schema
