// One field of a csv line with double quotes, for the readers of interactions and of attributes.
#pragma once

namespace cohort {

/// Unescapes the field that starts at `p` in place (fields only get shorter) and moves p to the comma behind it, or to
/// the line's end. Returns the end of what was unescaped; nullptr where a quote is not closed on the line. Local.
inline char* unquote_field(char*& p, char* end) {
  auto* out = p;
  bool inside = false;
  for (; p < end && (inside || *p != ','); ++p) {
    if (*p != '"') {
      *out++ = *p;
    } else if (inside && p + 1 < end && p[1] == '"') {
      *out++ = *p++;
    } else {
      inside = !inside;
    }
  }
  return inside ? nullptr : out;
}

}  // namespace cohort
