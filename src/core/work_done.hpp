// How far the long loops of the library have come: they say it, and whoever shows it to a person listens.
#pragma once

#include <cstdint>

namespace cohort {

/// `done` of `total` parts that take about the same time each are done; 0: the loop begins. Cheap where nobody listens.
/// From one thread of a rank. Local.
void note_work(std::int64_t done, std::int64_t total);

using WorkListener = void (*)(std::int64_t done, std::int64_t total);

/// Who listens; nullptr: nobody. Returns who did before. Local.
WorkListener listen_to_work(WorkListener listener);

}  // namespace cohort
