#include "cli/output/explanation_labels.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cli/output/report.hpp"
#include "comm/same_files.hpp"
#include "core/error.hpp"
#include "ingest/records/attribute_file.hpp"

namespace cohort {

namespace {

std::vector<std::string> labels_in(const Communicator& comm, const IdTable& ids, const std::string& path,
                                   const char* of, const std::string& encoding, const SegmentsFile& result) {
  if (path.empty() || ids.total() == 0) return {};
  if (!is_there(comm, path)) {
    spdlog::info("explain: {} is gone, so names are those of the profiles", path);
    return {};
  }
  try {
    log_input(report_table(comm, path, of, encoding));
    auto table = read_attributes(comm, ids, path, encoding);
    const auto& known = result.profiles ? result.profiles->attribute_sha256 : std::vector<std::string>();
    if (std::ranges::find(known, table.file.sha256) != known.end()) return std::move(table.label);
  } catch (const InputError&) {
    // All ranks throw or none: the file was changed since, and is of no use.
  }
  spdlog::info("explain: {} is not what the profiles were made with, so names are those of the profiles", path);
  return {};
}

}  // namespace

NodeLabels node_labels(const Communicator& comm, const Config& config, const SegmentsFile& result) {
  NodeLabels labels;
  labels.users = labels_in(comm, result.users, config.input.user_attributes, "user", config.input.encoding, result);
  labels.items = labels_in(comm, result.items, config.input.item_attributes, "item", config.input.encoding, result);
  if (!labels.items.empty() || !result.profiles) return labels;
  const auto& named = result.profiles->items;
  const auto& blocks = result.items.distribution;
  comm.attempt([&] {
    labels.items.resize(result.items.block_size());
    for (std::size_t row = 0; row < named.item.size(); ++row) {
      const auto place = named.item[row] - blocks.begin(comm.rank());
      if (place < 0 || place >= result.items.block_size()) continue;
      // Where nothing named it, the profile has the id.
      if (named.name[row] != result.items[place]) labels.items[place] = named.name[row];
    }
  });
  return labels;
}

}  // namespace cohort
