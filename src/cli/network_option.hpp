// What --network says: "100Gb,2us".
#pragma once

#include <string>

#include "comm/transfer_cost.hpp"

namespace cohort {

/// Bits a second (Kb, Mb, Gb, Tb; also with /s or ps behind) and seconds of a message (ns, us, ms, s). Throws
/// InputError. Local.
Interconnect parse_network(const std::string& text);

}  // namespace cohort
