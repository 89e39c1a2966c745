#include "partition/part_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>

#include "core/output_file.hpp"

namespace cohort {

namespace {

constexpr std::int64_t most_parts = std::int64_t{1} << 30;

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file.tellg();
  std::string text;
  if (file && !std::filesystem::is_directory(path)) {
    text.resize(size);
    file.seekg(0).read(text.data(), size);
    if (file) return text;
  }
  throw InputError("cannot read the partition file " + path + ": " +
                   (std::filesystem::is_directory(path) ? "it is a directory" : std::strerror(errno)));
}

std::string_view without_blanks(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

std::vector<std::int32_t> parse(const std::string& text, const std::string& path, std::int64_t nodes,
                                std::int64_t parts) {
  std::vector<std::int32_t> part_of;
  std::string_view rest(text);
  // Empty lines at the end are no lines.
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r')) rest.remove_suffix(1);
  const std::int64_t limit = parts > 0 ? parts : most_parts;
  while (!rest.empty() && std::ssize(part_of) < nodes) {
    const auto length = std::min(rest.find('\n'), rest.size());
    const auto field = without_blanks(rest.substr(0, length));
    rest.remove_prefix(std::min(length + 1, rest.size()));
    std::int64_t part = -1;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), part);
    const auto where = path + ":" + std::to_string(part_of.size() + 1) + ": ";
    if (error != std::errc() || end != field.data() + field.size()) {
      throw InputError(where + "\"" + std::string(field.substr(0, 40)) +
                       "\" is no part number; a .part file has one integer a line");
    }
    if (part < 0 || part >= limit) {
      throw InputError(where + "part " + std::to_string(part) + " is not in 0.." + std::to_string(limit - 1) +
                       (parts > 0 ? " (partition.shards = " + std::to_string(parts) + ")" : ""));
    }
    part_of.push_back(static_cast<std::int32_t>(part));
  }
  if (std::ssize(part_of) != nodes || !rest.empty()) {
    const auto lines = std::ssize(part_of) + std::ranges::count(rest, '\n') + (rest.empty() ? 0 : 1);
    throw InputError(path + " has " + std::to_string(lines) + " lines, but the graph has " + std::to_string(nodes) +
                     " nodes (users, then items, in the order of graph.h5) and needs a line for each");
  }
  return part_of;
}

}  // namespace

PartFile read_part_file(const Communicator& comm, const std::string& path, const Distribution& blocks,
                        std::int64_t parts) {
  std::vector<std::int32_t> all;
  comm.attempt([&] {
    if (comm.is_root()) all = parse(read_whole(path), path, blocks.total(), parts);
  });
  std::vector<std::int64_t> begin;
  for (int r = 0; r < comm.size(); ++r) begin.push_back(blocks.begin(r));
  begin.push_back(blocks.total());
  PartFile result;
  result.part_of = comm.scatter(std::span<const std::int32_t>(all), std::span<const std::int64_t>(begin));
  std::int32_t most = 0;
  for (const auto part : result.part_of) most = std::max(most, part);
  result.parts = parts > 0 ? static_cast<std::int32_t>(parts) : comm.max(most) + 1;
  return result;
}

void write_part_file(const Communicator& comm, const std::string& path, std::span<const std::int32_t> part_of) {
  const auto all = comm.gather(part_of).data;
  comm.attempt([&] {
    if (!comm.is_root()) return;
    std::string text;
    for (const auto part : all) text += std::to_string(part) + '\n';
    OutputFile file(path);
    file.write(text);
    file.commit();
  });
}

}  // namespace cohort
