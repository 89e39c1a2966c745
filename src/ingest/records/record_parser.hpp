// Parses blocks of lines into pairs of local ids. The hot path of reading: each line is touched once, ids that
// are numbers are read eight digits at a time, other numbers by std::from_chars; hash slots are prefetched a batch of
// records ahead of their look-up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/huge_vector.hpp"
#include "ingest/files/block_reader.hpp"
#include "ingest/files/column_block.hpp"
#include "ingest/ids/id_interner.hpp"
#include "ingest/records/file_layout.hpp"
#include "ingest/records/json_lines.hpp"

namespace cohort {

/// What this rank read. Entry i of every list is record i.
struct LocalPairs {
  HugeVector<std::uint32_t> first;   ///< local numbers of the first interner
  HugeVector<std::uint32_t> second;  ///< of the second
  HugeVector<float> weight;
  HugeVector<double> time;  ///< empty if has_time is false
  bool has_time = false;    ///< set before parsing
};

/// What a column says of a record: it is trained on, held out, or neither.
enum class SplitPart { train, test, validation };

/// The part that a word names, in any case: train, training, 0, false; test, testing, 1, true; validation, valid, val,
/// dev. Local.
std::optional<SplitPart> split_part_of(std::string_view word);

/// What a record weighs, and which records are dropped as they are read.
struct WeightRule {
  double min_weight = 0.0;  ///< weaker ones; 0: none
  bool drop_zero = false;   ///< those of weight zero
  /// (event, factor of the weight); the records of events of factor 0 are dropped, an event that is not here is a
  /// malformed line. Empty: events are not looked at; else the layout must have them.
  std::vector<std::pair<std::string, double>> events;
  bool drop_incomplete = false;  ///< records without a user, item or weight, or with a negative weight
  bool times_needed = false;     ///< else a time that cannot be read is 0, and counted
  /// Records of other parts are passed over; the layout has a split then. None: all are taken.
  std::optional<SplitPart> part = {};
};

struct BadLine {
  std::int64_t file = 0;
  std::int64_t offset = 0;  ///< of the line's first byte; of a record of several lines, of the one that is at fault
  std::int64_t line = 0;    ///< its number from 1; 0: not known
  std::string reason;
};

/// Bad lines of a file that are remembered.
constexpr std::size_t bad_lines_reported = 10;

/// Counts of one rank.
struct ParseTally {
  std::int64_t lines = 0;  ///< a record of several counts them all, good or bad: what is lost is never hidden
  std::int64_t records = 0;
  std::int64_t dropped_events = 0;
  std::int64_t below_min_weight = 0;
  std::int64_t zero_weight = 0;
  std::int64_t repeated_headers = 0;  ///< not among the lines
  std::int64_t comments = 0;          ///< neither
  std::int64_t validation = 0;        ///< records of that part, among those passed over
  std::int64_t other_parts = 0;       ///< records of a part other than WeightRule::part; not among the records
  std::int64_t incomplete = 0;        ///< records that WeightRule::drop_incomplete drops
  std::int64_t unread_times = 0;
  std::int64_t bad_lines = 0;
  std::vector<BadLine> first_bad_lines;  ///< at most bad_lines_reported of each file, in the file's order
};

/// Dates such as 11/1/2000, by what they show of the order of day and month.
struct DateTally {
  std::int64_t month_first = 0;
  std::int64_t day_first = 0;
  std::int64_t either = 0;
};

class RecordParser {
 public:
  /// For file number `file`. header: the line of its header; lines that repeat it are passed over and counted. All
  /// references must outlive the parser; `first` and `second` may be the same. names: of the columns, which JSON needs.
  RecordParser(std::int64_t file, const FileLayout& layout, std::string header, const WeightRule& rule,
               IdInterner& first, IdInterner& second, LocalPairs& pairs, ParseTally& tally,
               const std::vector<std::string>& names = {});

  /// Parses all lines of a block. A malformed line is counted and leaves nothing behind. May write into the block.
  void parse(const LineBlock& block);

  /// The same for the rows of a file that stores columns; the line of a malformed one is its row. The block outlives
  /// the call.
  void parse(const ColumnBlock& block);

  /// Of the times that were taken so far.
  const DateTally& dates() const { return dates_; }

 private:
  struct Record {
    Token first;
    Token second;
    float weight = 1.0F;
    double time = 0.0;
    double event_factor = 1.0;
    SplitPart part = SplitPart::train;
  };
  struct Field {
    char* begin;
    char* end;
    bool quoted = false;
  };

  // Records of a block that fill the batch.
  struct Rows {
    std::int64_t begin;
    std::size_t count;
  };
  struct Fault {
    std::size_t record;
    bool incomplete;
    std::string reason;
  };

  template <class Separator>
  void parse_lines(const LineBlock& block, const Separator& separator);
  template <class Separator>
  bool parse_line(const Separator& separator, char* begin, char* end, Record& record);
  bool parse_quoted_line(char* begin, char* end, Record& record);
  bool parse_adjacency(char* begin, char* end);
  bool take_field(std::int32_t column, Field field, Record& record);
  bool take_id(Field field, const char* name, Token& token);
  bool take_weight(Field field, float& weight);
  bool take_time(Field field, double& time);
  std::optional<double> read_time_text(std::string_view text);
  bool take_event(Field field, double& factor);
  bool take_split(Field field, SplitPart& part);
  bool take_text_id(std::string_view text, const char* name, Token& token);
  std::vector<Token> coded_ids(const ColumnValues& column, const char* name);
  void take_ids(const ColumnValues& column, const std::vector<Token>& coded, Rows rows, bool is_first);
  template <class Take, class TakeText>
  void take_values(const ColumnValues& column, Rows rows, Take take, TakeText take_text);
  void take_weights(const ColumnValues& column, Rows rows);
  void take_times(const ColumnValues& column, Rows rows);
  void keep_fault(std::size_t i);
  void leave_out_faults(std::int64_t first_row);
  bool wrong_field_count(std::int64_t found);
  bool fail(std::string reason);
  bool fail_incomplete(std::string reason);
  void tell_escape(std::string_view record);
  void add();
  void flush();
  void make_room(double blocks_left, std::size_t before);
  void keep_bad_line(std::int64_t offset, std::int64_t line, std::int64_t lines, std::string reason);
  static std::string_view without_blanks(Field field);

  std::int64_t file_;
  FileLayout layout_;
  std::string header_;
  WeightRule rule_;
  IdInterner& first_;
  IdInterner& second_;
  LocalPairs& pairs_;
  ParseTally& tally_;
  const char* first_name_;
  const char* second_name_;
  const char* block_end_ = nullptr;  // of the block that is parsed
  std::int32_t event_column_;        // -1: events are not looked at
  std::int32_t split_column_;        // -1: all records are taken
  std::size_t file_bad_lines_ = 0;
  std::vector<Record> batch_;  // the first batched_ wait for their look-up; the next is being filled
  std::size_t batched_ = 0;
  std::vector<Record> adjacent_;
  std::string reason_;
  DateTally dates_;
  bool incomplete_ = false;  // what failed is what rule_.drop_incomplete speaks of
  std::unique_ptr<JsonLines> json_;
  std::vector<std::string> printed_;  // ids of the batch that were no text in their columns
  std::string scratch_;
  std::vector<Fault> faults_;  // of the batch, one a record
};

}  // namespace cohort
