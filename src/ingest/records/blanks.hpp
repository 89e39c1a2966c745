// What counts as blank around fields, in all formats; inside a format that separates by tabs there is none left to see.
#pragma once

namespace cohort {

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace cohort
