// The answers of `assign` as lines of text: JSON objects, or CSV. Local.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assign/placement.hpp"
#include "cli/output/item_names.hpp"
#include "kernels/top_k.hpp"

namespace cohort {

struct Answer {
  std::string_view user;
  Placement placement;
  std::int64_t known = 0;    ///< different items of the user that the model knows
  std::int64_t unknown = 0;  ///< and that it does not
  std::span<const ScoredItem> best;
};

class AnswerLines {
 public:
  enum class Format { json, csv };

  /// names: of all items that may be recommended, in quotes(). count: recommendations a user at most, which CSV has
  /// columns for. number: what segments are called, as in Segments.
  AnswerLines(Format format, ItemNames names, std::int64_t count, std::vector<std::int64_t> number)
      : format_(format), count_(count), names_(std::move(names)), number_(std::move(number)) {}
  /// How the format quotes an id.
  static ItemNames::Quoted quotes(Format format);

  /// The first line of a file; empty for JSON.
  std::string header() const;
  /// With its line break. Numbers have as few digits as tell them from all other float32 numbers.
  std::string line(const Answer& answer) const;

 private:
  std::string json_line(const Answer& answer) const;
  std::string csv_line(const Answer& answer) const;

  Format format_;
  std::int64_t count_;
  ItemNames names_;
  std::vector<std::int64_t> number_;
};

/// A text as a JSON string, bytes that are no UTF-8 replaced.
std::string json_string(std::string_view text);

}  // namespace cohort
