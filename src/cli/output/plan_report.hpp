// A plan as text, and as JSON. Local.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/stages/plan_stage.hpp"

namespace cohort {

std::string plan_table(const TrainingPlan& plan);
nlohmann::ordered_json plan_json(const TrainingPlan& plan);

}  // namespace cohort
