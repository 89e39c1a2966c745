// Embeddings of items that other ranks have, where a rank needs some of them. Internal to recommend/.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "core/matrix.hpp"

namespace cohort {

/// The rows of the `wanted` items (numbers, ascending, no repeats), in their order. mine: of this rank's block; of no
/// rows, its columns do not matter. Collective.
Matrix fetch_item_rows(const Communicator& comm, const Distribution& blocks, ConstMatrixView mine,
                       std::span<const std::int64_t> wanted);

}  // namespace cohort
