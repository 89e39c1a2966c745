#include "core/error.hpp"

namespace cohort {

void check_failed(const char* condition, const char* file, int line, const std::string& detail) {
  std::string message = std::string("defect in Cohort, please report: ") + condition + " does not hold at " + file +
                        ":" + std::to_string(line);
  if (!detail.empty()) message += " (" + detail + ")";
  throw InternalError(message);
}

}  // namespace cohort
