// What values of files must be, before anything is done with them: what is on disk is input, never trusted. Internal to
// store/. Collective, all of it; errors are InputErrors that name file and dataset.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "comm/communicator.hpp"
#include "core/matrix.hpp"
#include "store/h5.hpp"

namespace cohort {

/// `good` must hold for each of this rank's values. what: "names items that the file does not have".
template <class T, class Good>
void check_each(const Communicator& comm, const h5::Reader& file, const std::string& name, std::span<const T> values,
                Good good, const std::string& what) {
  comm.attempt([&] {
    if (!std::ranges::all_of(values, good)) throw file.wrong(name, what);
  });
}

/// Numbers of something of which there are `count`, from `lowest` on: 0, or -1 where that stands for none.
template <class T>
void check_numbers(const Communicator& comm, const h5::Reader& file, const std::string& name, std::span<const T> values,
                   std::int64_t lowest, std::int64_t count, const std::string& of) {
  check_each(
      comm, file, name, values, [&](T value) { return value >= lowest && value < count; },
      "names " + of + " that the file does not have");
}

template <class T>
void check_not_negative(const Communicator& comm, const h5::Reader& file, const std::string& name,
                        std::span<const T> values) {
  check_each(
      comm, file, name, values, [](T value) { return value >= 0 && std::isfinite(static_cast<double>(value)); },
      "holds numbers that are negative or not finite");
}

template <class T>
void check_finite(const Communicator& comm, const h5::Reader& file, const std::string& name,
                  std::span<const T> values) {
  check_each(
      comm, file, name, values, [](T value) { return std::isfinite(value); }, "holds numbers that are not finite");
}

inline void check_finite(const Communicator& comm, const h5::Reader& file, const std::string& name,
                         ConstMatrixView matrix) {
  comm.attempt([&] {
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
      if (!std::ranges::all_of(matrix.at(i), [](float value) { return std::isfinite(value); })) {
        throw file.wrong(name, "holds numbers that are not finite");
      }
    }
  });
}

}  // namespace cohort
