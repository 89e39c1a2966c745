// The original ids, or other texts, of a few numbered things, on all ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"

namespace cohort {

/// The texts of `numbers` (any order, repeats allowed, the same on all ranks). at(i): the text of this rank's i-th.
/// Collective.
std::vector<std::string> texts_of(const Communicator& comm, const Distribution& blocks,
                                  std::span<const std::int64_t> numbers,
                                  const std::function<std::string_view(std::int64_t)>& at);

}  // namespace cohort
