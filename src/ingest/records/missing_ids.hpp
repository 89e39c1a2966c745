// Ids that name nobody: what programs write for one that is missing, and users that stand for everyone who was not
// logged in. Seen by all ranks together, so the same at any number of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/record_parser.hpp"

namespace cohort {

/// Says how many records have a user or an item called as programs write what is missing (nan, null, None, the UUID of
/// zeros, the MD5, SHA-1 or SHA-256 of such a word or of nothing), or as lines of totals begin. Collective.
std::vector<std::string> warn_of_missing_words(const Communicator& comm, FileRole role, const LocalPairs& pairs,
                                               const IdInterner& first, const IdInterner& second);

/// Says where one user has so many more records than the next that it may stand for many: 3 times as many where it is
/// called so (0, -1, guest, unknown), else 10 times and a twentieth of all. `records`: of each of this rank's users,
/// before repeats of a pair were merged; `interactions`: theirs, merged; `most_items`: clean.max_user_interactions, 0:
/// no cap; users that it drops are not spoken of. Collective.
std::vector<std::string> warn_of_crowds(const Communicator& comm, const IdTable& users,
                                        std::span<const std::int64_t> records, const PairTable& interactions,
                                        std::int64_t most_items);

}  // namespace cohort
