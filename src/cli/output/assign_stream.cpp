#include "cli/output/assign_stream.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/interruption.hpp"
#include "core/output_file.hpp"
#include "core/stopwatch.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

using Json = nlohmann::json;

constexpr int look_every_milliseconds = 100;
constexpr std::size_t most_line_bytes = std::size_t{16} << 20;

// Lines as they come: read() gives what is there, where buffered reading would wait for more.
class LineReader {
 public:
  /// The next line without its end; false at the end of the input. Of a line beyond most_line_bytes only the first
  /// most_line_bytes + 1 are kept.
  bool next(std::string& line) {
    line.clear();
    for (;;) {
      const auto rest = std::string_view(buffer_).substr(at_, filled_ - at_);
      const auto end = rest.find('\n');
      line.append(rest.substr(0, std::min(std::min(end, rest.size()), most_line_bytes + 1 - line.size())));
      if (end != std::string_view::npos) {
        at_ += end + 1;
        break;
      }
      if (!fill()) {
        if (line.empty()) return false;
        break;
      }
    }
    if (line.ends_with('\r')) line.pop_back();
    return true;
  }

 private:
  // Waits for input, but no longer than until the program is asked to end.
  bool fill() {
    at_ = filled_ = 0;
    ssize_t got = 0;
    do {
      pollfd input{STDIN_FILENO, POLLIN, 0};
      while (::poll(&input, 1, look_every_milliseconds) == 0) end_if_interrupted();
      got = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw InputError(std::string("cannot read standard input: ") + std::strerror(errno));
    filled_ = static_cast<std::size_t>(got);
    return got > 0;
  }

  std::string buffer_ = std::string(std::size_t{1} << 16, '\0');
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

// Counts of seconds on a logarithmic scale: a process that stays for months takes no more room.
class LatencyScale {
 public:
  void add(double seconds) {
    const double step = std::floor(steps_an_octave * std::log2(std::max(seconds / least, 1.0)));
    ++count_[std::min(static_cast<std::size_t>(step), count_.size() - 1)];
    ++lines_;
  }
  StreamLatency summary() const { return {lines_, quantile(0.5), quantile(0.99)}; }

 private:
  double quantile(double share) const {
    std::int64_t below = 0;
    for (std::size_t step = 0; step < count_.size(); ++step) {
      below += count_[step];
      if (below > 0 && static_cast<double>(below) >= share * static_cast<double>(lines_)) {
        return least * std::exp2(static_cast<double>(step + 1) / steps_an_octave);
      }
    }
    return 0;
  }

  static constexpr double least = 1e-7;
  static constexpr double steps_an_octave = 64;
  std::array<std::int64_t, std::size_t{64} * 36> count_{};  // up to two hours
  std::int64_t lines_ = 0;
};

// What is wrong with a line.
struct BadRequest {
  std::string what;
};

std::string id_of(const Json& value, const char* what) {
  std::string id;
  if (value.is_string()) {
    id = value.get<std::string>();
  } else if (value.is_number_integer()) {
    id = value.dump();
  } else {
    throw BadRequest{std::string(what) + " must be a string or a whole number"};
  }
  if (id.empty()) throw BadRequest{std::string(what) + " is empty"};
  return id;
}

NamedInteraction interaction_of(const Json& entry) {
  if (!entry.is_object()) return {id_of(entry, "an item"), 1.0F};
  if (!entry.contains("item")) throw BadRequest{"an entry of \"items\" has no \"item\""};
  NamedInteraction interaction{id_of(entry.at("item"), "\"item\""), 1.0F};
  if (entry.contains("weight")) {
    const auto& weight = entry.at("weight");
    interaction.weight = weight.is_number() ? weight.get<float>() : NAN;
    if (!std::isfinite(interaction.weight) || interaction.weight < 0) {
      throw BadRequest{"\"weight\" must be a finite number from 0 up"};
    }
  }
  return interaction;
}

struct Request {
  std::string user;
  std::vector<NamedInteraction> interactions;
};

Request request_of(std::string_view line) {
  if (line.size() > most_line_bytes) {
    throw BadRequest{"the line is longer than " + std::to_string(most_line_bytes >> 20) + " MiB"};
  }
  const auto invalid = find_invalid_utf8(line);
  if (invalid != std::string_view::npos) throw BadRequest{not_utf8(line, invalid)};
  Json json;
  try {
    json = Json::parse(line);
  } catch (const Json::parse_error& error) {
    throw BadRequest{"the line is not JSON (byte " + std::to_string(error.byte) + ")"};
  } catch (const Json::exception&) {
    throw BadRequest{"the line holds a number beyond all bounds"};
  }
  if (!json.is_object()) throw BadRequest{"the line must be an object with \"user\" and \"items\""};
  if (!json.contains("user")) throw BadRequest{"\"user\" is missing"};
  if (!json.contains("items")) throw BadRequest{"\"items\" is missing"};
  if (!json.at("items").is_array()) throw BadRequest{"\"items\" must be an array"};
  Request request{id_of(json.at("user"), "\"user\""), {}};
  for (const auto& entry : json.at("items")) request.interactions.push_back(interaction_of(entry));
  return request;
}

}  // namespace

std::string answer_line(LiveAssigner& assigner, const AnswerLines& lines, std::string_view line,
                        std::int64_t line_number) {
  try {
    const auto request = request_of(line);
    const auto answer = assigner.answer(request.user, request.interactions);
    return lines.line({request.user, answer.placement, answer.known, answer.unknown, answer.best});
  } catch (const BadRequest& bad) {
    return "{\"error\":" + json_string(bad.what) + ",\"line\":" + std::to_string(line_number) + "}\n";
  }
}

StreamLatency answer_stream(LiveAssigner& assigner, const AnswerLines& lines) {
  LineReader reader;
  LatencyScale latency;
  std::string line;
  for (std::int64_t number = 1; reader.next(line); ++number) {
    end_if_interrupted();
    const Stopwatch stopwatch;
    const auto text = answer_line(assigner, lines, line, number);
    latency.add(stopwatch.seconds());
    write_standard_output(text);
  }
  return latency.summary();
}

}  // namespace cohort
