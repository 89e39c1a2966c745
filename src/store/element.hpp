// What a dataset holds.
#pragma once

#include <concepts>
#include <cstdint>

namespace cohort::h5 {

template <class T>
concept Number =
    std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> || std::same_as<T, float> || std::same_as<T, double>;

enum class Element { int32, int64, float32, float64, text };

template <Number T>
constexpr Element element_of() {
  if constexpr (std::same_as<T, std::int32_t>) return Element::int32;
  if constexpr (std::same_as<T, std::int64_t>) return Element::int64;
  if constexpr (std::same_as<T, float>) return Element::float32;
  if constexpr (std::same_as<T, double>) return Element::float64;
}

}  // namespace cohort::h5
