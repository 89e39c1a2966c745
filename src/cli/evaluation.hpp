// How good a result is, in numbers: for `evaluate`, which reads the result from files, and for the end of `run`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/session.hpp"
#include "ingest/label_file.hpp"
#include "store/graph_file.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// What a result is held against; what is not there (nullptr) leaves its measures out.
struct EvaluationData {
  const Dataset* dataset = nullptr;     ///< what it was made from: modularity, and what is not recommended again
  const PairTable* held_out = nullptr;  ///< by user, ascending (Dataset::holdout); needs the dataset
  const Labels* truth = nullptr;
};

/// One object: segments, users; ari, nmi, purity, labelled_users; silhouette, silhouette_points, davies_bouldin,
/// calinski_harabasz; modularity, social_modularity; activity_share, notes (sentences); recall@k, ndcg@k, precision@k,
/// hit_rate@k of every evaluate.k, test_users. What is not defined is NaN, written as null. config: of the result. The
/// same on all ranks, and for every number of them. Throws InputError as check_cut_offs does. Collective.
nlohmann::ordered_json evaluate(const Communicator& comm, const Config& config, const SegmentsFile& result,
                                const EvaluationData& data);

/// The same for what `run` has in memory, with the hold-out if there is one. Collective.
nlohmann::ordered_json evaluate_run(const Session& session, const GraphFile& graph, const SegmentsFile& result);

/// Throws InputError where an evaluate.k is larger than the number of items. Local.
void check_cut_offs(const Config& config, std::int64_t items);

/// The object as a table for a person. Local.
std::string evaluation_table(const nlohmann::ordered_json& measures);

}  // namespace cohort
