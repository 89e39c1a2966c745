// How good a result is, in numbers: for `evaluate`, which reads the result from files, and for the end of `run`.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "ingest/records/label_file.hpp"
#include "items/ranking_measures.hpp"
#include "store/graph_file.hpp"
#include "store/segments_file.hpp"

namespace cohort {

/// What a result is held against; what is not there (nullptr) leaves its measures out.
struct EvaluationData {
  const Dataset* dataset = nullptr;     ///< what it was made from: modularity, and what is not recommended again
  const PairTable* held_out = nullptr;  ///< by user, ascending (Dataset::holdout); needs the dataset
  const Labels* truth = nullptr;
  const GraphFile* graph = nullptr;  ///< of the dataset, with its partition: filter and hybrid
  bool lists_as_configured = false;  ///< the result's lists were made with this configuration: what they measure need
                                     ///< not be made again
};

/// One object: segments, users; ari, nmi, purity, labelled_users; silhouette, silhouette_points, davies_bouldin,
/// calinski_harabasz; modularity (user-item graph), social_modularity (social edges), graph_modularity (both together);
/// activity_share, and notes (what to know before believing in the segments, a sentence each);
/// recall@k, ndcg@k, precision@k, hit_rate@k of every cut-off, test_users: those of `personal`; written_strategy, of
/// the result's lists (null: none); strategies: by name the measures of every strategy that was made, which are those
/// that need nothing learnt and those whose smoothing, power and weights are in the result; levels: of nested segments,
/// where their smoothing is in the result (cli/stages/level_evaluation.hpp). Every item is ranked. What is not defined
/// is NaN, written as null; what cannot be measured is not there. config: of the result. The same on all ranks, and for
/// every number of them. Collective.
nlohmann::ordered_json evaluate(const Communicator& comm, const Config& config, const SegmentsFile& result,
                                const EvaluationData& data);

/// The same for what `run` has in memory, with the hold-out if there is one. Collective.
nlohmann::ordered_json evaluate_run(const Session& session, const GraphFile& graph, const SegmentsFile& result);

/// recall@k, ndcg@k, precision@k and hit_rate@k of every cut-off; test_users. Local.
nlohmann::ordered_json ranking_json(const std::vector<RankingMeasures>& found);

/// Why there is no hold-out to measure with, and what to do. For a dataset without one. Collective.
std::string why_not_measured(const Communicator& comm, const Dataset& dataset, const Config& config);

/// evaluate.k, the number of items in the place of larger ones, which is said; no repeats. Local.
std::vector<std::int64_t> cut_offs(const Config& config, std::int64_t items);

/// The object as a table for a person, and one of the strategies beside each other. Local.
std::string evaluation_table(const nlohmann::ordered_json& measures);

}  // namespace cohort
