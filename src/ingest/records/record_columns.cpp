// How a RecordParser takes records from columns: one column of a batch of records after the other. What is as most
// values are is taken as it is stored; every other is printed, and goes the way of text.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/utf8.hpp"
#include "ingest/records/blanks.hpp"
#include "ingest/records/record_parser.hpp"

namespace cohort {

namespace {

using Kind = ColumnValues::Kind;

constexpr std::int64_t numeric_tokens_end = 1'000'000'000'000'000'000;
static_assert(numeric_token_digits == 18);
// The token of a text that is no id.
constexpr Token no_token{0, "", std::numeric_limits<std::uint32_t>::max()};

bool is_no_token(const Token& token) {
  return token.length == no_token.length;
}

std::string_view text_at(const ColumnValues& column, std::int64_t row) {
  return column.texts[column.code ? column.code[row] : row];
}

}  // namespace

bool RecordParser::take_text_id(std::string_view text, const char* name, Token& token) {
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(std::string("the ") + name + " holds a NUL byte; ids are text in UTF-8");
  }
  if (const auto bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return fail(std::string("in the ") + name + " " + not_utf8(text, bad) + "; ids are text in UTF-8");
  }
  // It is only read.
  auto* const begin = const_cast<char*>(text.data());
  return take_id({begin, begin + text.size(), true}, name, token);
}

std::vector<Token> RecordParser::coded_ids(const ColumnValues& column, const char* name) {
  std::vector<Token> tokens;
  if (column.kind != Kind::texts || !column.code) return tokens;
  tokens.reserve(column.texts.size());
  for (const auto text : column.texts) {
    auto& token = tokens.emplace_back();
    if (!take_text_id(text, name, token)) token = no_token;
  }
  incomplete_ = false;
  return tokens;
}

void RecordParser::take_ids(const ColumnValues& column, const std::vector<Token>& coded, Rows rows, bool is_first) {
  auto& interner = is_first ? first_ : second_;
  const auto* const name = is_first ? first_name_ : second_name_;
  auto Record::*const place = is_first ? &Record::first : &Record::second;
  const auto take_other = [&](std::size_t i) {
    const auto row = rows.begin + static_cast<std::int64_t>(i);
    auto& text = printed_[2 * i + (is_first ? 0 : 1)];
    text = column.has(row) ? column.text_of(row) : std::string();
    if (!take_text_id(text, name, batch_[i].*place)) keep_fault(i);
  };
  for (std::size_t i = 0; i < rows.count; ++i) {
    const auto row = rows.begin + static_cast<std::int64_t>(i);
    auto& token = batch_[i].*place;
    if (column.kind == Kind::integers) {
      const auto value = column.integers[row];
      if (!column.has(row) || value < 0 || value >= numeric_tokens_end) [[unlikely]] {
        take_other(i);
        continue;
      }
      token = {static_cast<std::uint64_t>(value), nullptr, 0};
    } else {
      if (!column.has(row)) [[unlikely]] {
        take_other(i);
        continue;
      }
      if (column.code) {
        token = coded[column.code[row]];
        if (is_no_token(token)) [[unlikely]] {
          take_other(i);
          continue;
        }
      } else if (const auto text = column.texts[row];
                 column.ascii && !text.empty() && text.size() <= max_id_bytes && !is_blank(text[0])) [[likely]] {
        token = make_token(text);
      } else if (!take_text_id(text, name, token)) [[unlikely]] {
        keep_fault(i);
        continue;
      }
    }
    interner.prefetch(token);
  }
}

// Calls take(i, row) for every record of the batch and take_text(i, field) for those of which it says false.
template <class Take, class TakeText>
void RecordParser::take_values(const ColumnValues& column, Rows rows, Take take, TakeText take_text) {
  for (std::size_t i = 0; i < rows.count; ++i) {
    const auto row = rows.begin + static_cast<std::int64_t>(i);
    const bool has = column.has(row);
    if (has && take(i, row)) [[likely]]
      continue;
    scratch_.clear();
    if (has && column.kind == Kind::texts) {
      scratch_ = text_at(column, row);
    } else if (has) {
      scratch_ = column.text_of(row);
    }
    if (!take_text(i, Field{scratch_.data(), scratch_.data() + scratch_.size()})) keep_fault(i);
  }
}

void RecordParser::take_weights(const ColumnValues& column, Rows rows) {
  const auto as_text = [&](std::size_t i, Field field) { return take_weight(field, batch_[i].weight); };
  if (column.kind == Kind::integers) {
    take_values(
        column, rows,
        [&](std::size_t i, std::int64_t row) {
          batch_[i].weight = static_cast<float>(static_cast<double>(column.integers[row]));
          return column.integers[row] >= 0;
        },
        as_text);
  } else if (column.kind == Kind::reals) {
    take_values(
        column, rows,
        [&](std::size_t i, std::int64_t row) {
          const auto value = column.reals[row];
          const auto weight = static_cast<float>(value);
          batch_[i].weight = weight;
          return value >= 0 && std::isfinite(weight) && (weight != 0 || value == 0);
        },
        as_text);
  } else if (column.kind == Kind::texts) {
    take_values(
        column, rows, [](std::size_t, std::int64_t) { return false; }, as_text);
  }
}

void RecordParser::take_times(const ColumnValues& column, Rows rows) {
  const auto as_text = [&](std::size_t i, Field field) { return take_time(field, batch_[i].time); };
  const auto take_number = [&](std::size_t i, double value) {
    batch_[i].time = seconds_of(layout_, value);
    return std::isfinite(value) && !layout_.compact_dates && has_told_unit(layout_, value);
  };
  if (column.kind == Kind::integers) {
    take_values(
        column, rows,
        [&](std::size_t i, std::int64_t row) { return take_number(i, static_cast<double>(column.integers[row])); },
        as_text);
  } else if (column.kind == Kind::reals) {
    take_values(
        column, rows, [&](std::size_t i, std::int64_t row) { return take_number(i, column.reals[row]); }, as_text);
  } else if (column.kind == Kind::seconds) {
    take_values(
        column, rows,
        [&](std::size_t i, std::int64_t row) {
          batch_[i].time = column.reals[row];
          return !layout_.compact_dates;
        },
        as_text);
  } else if (column.kind == Kind::texts) {
    take_values(
        column, rows, [](std::size_t, std::int64_t) { return false; }, as_text);
  }
}

// Of the record that is the i-th of the batch, unless it has one already.
void RecordParser::keep_fault(std::size_t i) {
  if (std::ranges::find(faults_, i, &Fault::record) == faults_.end()) {
    faults_.push_back({i, std::exchange(incomplete_, false), std::move(reason_)});
  }
  incomplete_ = false;
}

// Counts the records of the batch that have faults and closes the gaps.
void RecordParser::leave_out_faults(std::int64_t first_row) {
  std::ranges::sort(faults_, {}, &Fault::record);
  auto left = batched_;
  for (auto fault = faults_.rbegin(); fault != faults_.rend(); ++fault) {
    batch_.erase(batch_.begin() + static_cast<std::ptrdiff_t>(fault->record));
    batch_.emplace_back();
    --left;
  }
  batched_ = left;
  for (auto& [record, incomplete, reason] : faults_) {
    const auto row = first_row + static_cast<std::int64_t>(record);
    if (incomplete && rule_.drop_incomplete) {
      ++tally_.incomplete;
    } else {
      keep_bad_line(row, row, 1, std::move(reason));
    }
  }
  faults_.clear();
}

void RecordParser::parse(const ColumnBlock& block) {
  const auto before = pairs_.first.size();
  printed_.resize(2 * batch_.size());
  const auto first_ids = coded_ids(block.first, first_name_);
  const auto second_ids = coded_ids(block.second, second_name_);
  for (std::int64_t begin = 0; begin < block.rows; begin += std::ssize(batch_)) {
    const Rows rows{begin, static_cast<std::size_t>(std::min(std::ssize(batch_), block.rows - begin))};
    take_ids(block.first, first_ids, rows, true);
    take_ids(block.second, second_ids, rows, false);
    take_weights(block.weight, rows);
    take_times(block.time, rows);
    const auto never = [](std::size_t, std::int64_t) { return false; };
    if (event_column_ >= 0) {
      take_values(block.event, rows, never,
                  [&](std::size_t i, Field field) { return take_event(field, batch_[i].event_factor); });
    }
    if (split_column_ >= 0) {
      take_values(block.split, rows, never,
                  [&](std::size_t i, Field field) { return take_split(field, batch_[i].part); });
    }
    tally_.lines += static_cast<std::int64_t>(rows.count);
    batched_ = rows.count;
    if (!faults_.empty()) [[unlikely]]
      leave_out_faults(block.first_row + begin);
    flush();
  }
  make_room(static_cast<double>(block.left) / static_cast<double>(std::max<std::int64_t>(1, block.rows)), before);
}

}  // namespace cohort
