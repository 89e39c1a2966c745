// What a reader must know about a result before believing in its segments, in words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cohort {

/// Below it the users of a segment are hardly nearer to each other than to those of the next.
inline constexpr double low_silhouette = 0.05;
/// Above it segments are to a good part levels of activity.
inline constexpr double high_activity_share = 0.2;
/// Above it, an epoch, training was not done.
inline constexpr double still_falling = 0.01;

/// The mean fall of the loss over the last epochs, three at most, as a share of what it was before them; 0 for fewer
/// than two epochs. Local.
double loss_fall(std::span<const double> loss);

/// The first epoch, counted from 1, that is the third in a row whose loss is above that of the first; 0: there is none.
std::int64_t loss_rose(std::span<const double> loss);

/// Says that the loss rose, where it did; "" where not. Local.
std::string loss_warning(std::span<const double> loss);

/// One sentence for each of the above that holds. silhouette: NaN is not defined; activity_share: absent where the
/// interactions are not known; loss: by epoch. Local.
std::vector<std::string> result_notes(double silhouette, std::optional<double> activity_share,
                                      std::span<const double> loss);

}  // namespace cohort
