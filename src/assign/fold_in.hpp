// Folding in: the embedding of a user whom training did not see, from interactions alone and without training again.
// `segment` prepares what every item contributes, `assign` adds it up.
//
// LightGCN is linear (He et al. 2020, eq. 7 and 8): e_u = 1/(L+1) (E_u + n_u), n_u = sum_j Ahat_uj S_j, where S is the
// sum over l < L of Ahat^l E and Ahat_uj = w_uj / sqrt(d_u d_j). A new user has no E_u. Training draws it to where n_u
// points, so that leaving it out makes every embedding too short: what is added up is c n_u, with the c of least
// squares over all training users, c = sum <n_u, e_u> / sum <n_u, n_u>. Then
//
//   e_u = (sum_j w_uj f_j) / sqrt(sum_j w_uj),   f_j = c S_j / sqrt(d_j),
//
// and the f_j are all that a new user needs. Without layers S is E itself. New users have no friends here: d_u is the
// weight of their interactions, also in the n_u that c is fitted on.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "data/dataset.hpp"
#include "result/segments.hpp"

namespace cohort {

/// What the f_j are made from: this rank's blocks.
struct FoldInSource {
  ConstMatrixView below;          ///< of items x d: S or any positive multiple of it
  ConstMatrixView users;          ///< of users x d: e_u as trained
  const PairTable* edges;         ///< a row for each of these users; weights of the graph's edges, all positive
  const Distribution* items;      ///< by rank
  const Distribution* user_rows;  ///< users by rank
};

/// The rows f_j and the training users of every item, in the blocks of the source. Collective.
FoldInTable make_fold_in(const Communicator& comm, const FoldInSource& source);

/// This rank's rows of `edges` (weights positive) folded in: edges.rows() x d; a row without edges is zero. table: f_j
/// of this rank's block of `items`. The bits of a row depend on its edges alone. Needs room for the rows of f that a
/// batch of users refers to. Collective.
Matrix fold_in(const Communicator& comm, ConstMatrixView table, const Distribution& items, const PairTable& edges);

/// One user, where all items are on this rank: item (ascending rows of `table`) and weight side by side. out: d floats
/// and their padding. The same bits as above. Local.
void fold_in_row(ConstMatrixView table, std::span<const LocalRow> item, std::span<const float> weight, float* out);

}  // namespace cohort
