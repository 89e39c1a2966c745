#include "ingest/ids/dictionary.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>

#include "core/ragged.hpp"

namespace cohort {

namespace {

// Ids that a rank shows of its sorted list for choosing the splitters.
constexpr std::int64_t samples_per_rank = 64;

// Length and first 14 bytes: decides nearly every comparison without touching the text.
struct IdKey {
  std::uint64_t high;  // length (16 bits), bytes 0 to 5
  std::uint64_t low;   // bytes 6 to 13
  friend bool operator==(const IdKey&, const IdKey&) = default;
  friend bool operator<(const IdKey& a, const IdKey& b) { return std::tie(a.high, a.low) < std::tie(b.high, b.low); }
};
constexpr std::size_t key_bytes = 14;

IdKey key_of(std::string_view id) {
  unsigned char bytes[16] = {static_cast<unsigned char>(id.size() >> 8), static_cast<unsigned char>(id.size())};
  std::memcpy(bytes + 2, id.data(), std::min(id.size(), key_bytes));
  std::uint64_t words[2];
  std::memcpy(words, bytes, sizeof(words));
  return {__builtin_bswap64(words[0]), __builtin_bswap64(words[1])};
}

bool id_less(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Indices of the ids in their order; equal ids by index.
std::vector<std::int64_t> sorted_order(const IdTable& ids) {
  struct Entry {
    IdKey key;
    std::int64_t index;
  };
  std::vector<Entry> entries(ids.block_size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    entries[i] = {key_of(ids[index]), index};
  }
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    if (a.key != b.key) return a.key < b.key;
    const auto x = ids[a.index];
    const auto y = ids[b.index];
    if (x.size() > key_bytes && x != y) return x < y;
    return a.index < b.index;
  });
  std::vector<std::int64_t> order(entries.size());
  std::ranges::transform(entries, order.begin(), &Entry::index);
  return order;
}

// Every rank's ids, joined by rank.
IdTable gather_ids(const Communicator& comm, const IdTable& mine) {
  IdTable all;
  for (std::int64_t i = 0; i < mine.block_size(); ++i) {
    const auto length = static_cast<std::int64_t>(mine[i].size());
    all.begin.push_back(length);
  }
  const auto lengths = comm.all_gather(std::span<const std::int64_t>(all.begin).subspan(1)).data;
  const auto bytes = comm.all_gather(std::span<const char>(mine.bytes)).data;
  all.begin.assign(1, 0);
  for (const auto length : lengths) all.begin.push_back(all.begin.back() + length);
  all.bytes.assign(bytes.begin(), bytes.end());
  return all;
}

// P - 1 ids (or fewer) that cut all ids into about even parts.
IdTable choose_splitters(const Communicator& comm, const IdTable& ids, std::span<const std::int64_t> order) {
  const auto count = std::ssize(order);
  const auto samples = std::min(count, samples_per_rank);
  IdTable mine;
  for (std::int64_t s = 0; s < samples; ++s) {
    mine.push_back(ids[order[(2 * s + 1) * count / (2 * samples)]]);
  }
  const auto all = gather_ids(comm, mine);
  const auto counts = comm.all_gather(count);
  // A sample stands for the ids around it on its rank.
  std::vector<double> stands_for;
  for (const auto of_rank : counts) {
    const auto shown = std::min(of_rank, samples_per_rank);
    stands_for.insert(stands_for.end(), static_cast<std::size_t>(shown),
                      static_cast<double>(of_rank) / static_cast<double>(std::max<std::int64_t>(shown, 1)));
  }
  const double total = std::accumulate(stands_for.begin(), stands_for.end(), 0.0);
  IdTable splitters;
  double seen = 0;
  for (const auto s : sorted_order(all)) {
    seen += stands_for[s];
    const auto wanted = std::min<std::int64_t>(
        comm.size() - 1, static_cast<std::int64_t>(seen / total * static_cast<double>(comm.size())));
    while (splitters.block_size() < wanted) splitters.push_back(all[s]);
  }
  return splitters;
}

// Ids on the way: sorted on the rank that sends them, grouped by sending rank where they arrive.
struct RoutedIds {
  std::vector<std::int64_t> order;  // of the sender's ids
  IdTable received;
  std::vector<std::int64_t> received_begin;  // P + 1
};

// An id goes to the rank whose number is that of the splitters not above it.
RoutedIds route_ids(const Communicator& comm, const IdTable& ids, std::vector<std::int64_t> order,
                    const IdTable& splitters) {
  RoutedIds routed;
  routed.order = std::move(order);
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<std::int64_t> begin(ranks + 1, std::ssize(routed.order));
  std::vector<std::int64_t> byte_begin(ranks + 1, 0);
  begin[0] = 0;
  for (std::int64_t s = 0; s < splitters.block_size(); ++s) {
    const auto cut =
        std::ranges::partition_point(routed.order, [&](std::int64_t i) { return id_less(ids[i], splitters[s]); });
    begin[s + 1] = cut - routed.order.begin();
  }
  std::vector<std::uint16_t> lengths;
  std::string bytes;
  lengths.reserve(routed.order.size());
  bytes.reserve(ids.bytes.size());
  for (std::size_t r = 0; r < ranks; ++r) {
    for (const auto i : places_of(begin, r)) {
      const auto id = ids[routed.order[i]];
      lengths.push_back(static_cast<std::uint16_t>(id.size()));
      bytes.append(id);
    }
    byte_begin[r + 1] = std::ssize(bytes);
  }
  const auto got = comm.exchange(std::span<const std::uint16_t>(lengths), std::span(std::as_const(begin)));
  const auto text = comm.exchange(std::span<const char>(bytes), std::span(std::as_const(byte_begin)));
  routed.received_begin = got.begin;
  routed.received.begin.reserve(got.data.size() + 1);
  for (const auto length : got.data) {
    routed.received.begin.push_back(routed.received.begin.back() + static_cast<std::int64_t>(length));
  }
  routed.received.bytes.assign(text.data.begin(), text.data.end());
  return routed;
}

// Sends back one number for each received id; returns them in the order of the sender's ids.
std::vector<std::int64_t> send_back(const Communicator& comm, const RoutedIds& routed,
                                    std::span<const std::int64_t> answers) {
  const auto got = comm.exchange(answers, std::span(routed.received_begin)).data;
  std::vector<std::int64_t> result(routed.order.size());
  for (std::size_t i = 0; i < got.size(); ++i) result[routed.order[i]] = got[i];
  return result;
}

Distribution distribution_of(const Communicator& comm, std::int64_t count) {
  std::vector<std::int64_t> begin{0};
  for (const auto of_rank : comm.all_gather(count)) begin.push_back(begin.back() + of_rank);
  return Distribution(std::move(begin));
}

}  // namespace

Dictionary build_dictionary(const Communicator& comm, const IdTable& local_ids) {
  auto order = sorted_order(local_ids);
  const auto splitters = choose_splitters(comm, local_ids, order);
  const auto routed = route_ids(comm, local_ids, std::move(order), splitters);

  Dictionary result;
  std::vector<std::int64_t> numbers(routed.received.block_size());
  for (const auto i : sorted_order(routed.received)) {
    const auto id = routed.received[i];
    const auto known = result.table.block_size();
    if (known == 0 || result.table[known - 1] != id) result.table.push_back(id);
    numbers[i] = result.table.block_size() - 1;
  }
  result.table.distribution = distribution_of(comm, result.table.block_size());
  for (auto& number : numbers) number += result.table.distribution.begin(comm.rank());
  result.number = send_back(comm, routed, numbers);
  return result;
}

std::vector<std::int64_t> find_ids(const Communicator& comm, const IdTable& table, const IdTable& ids) {
  // The first id of each rank's block separates the blocks; an empty block takes the next one's.
  IdTable first;
  if (table.block_size() > 0) first.push_back(table[0]);
  const auto firsts = gather_ids(comm, first);
  IdTable splitters;
  std::int64_t of_rank = comm.size() > 0 && table.distribution.count(0) > 0 ? 1 : 0;
  for (int r = 1; r < comm.size() && of_rank < firsts.block_size(); ++r) {
    splitters.push_back(firsts[of_rank]);
    if (table.distribution.count(r) > 0) ++of_rank;
  }
  const auto routed = route_ids(comm, ids, sorted_order(ids), splitters);
  std::vector<std::int64_t> answers(routed.received.block_size(), -1);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto id = routed.received[static_cast<std::int64_t>(i)];
    std::int64_t low = 0;
    for (auto high = table.block_size(); low < high;) {
      const auto middle = (low + high) / 2;
      if (id_less(table[middle], id)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low < table.block_size() && table[low] == id) answers[i] = table.distribution.begin(comm.rank()) + low;
  }
  return send_back(comm, routed, answers);
}

std::vector<std::string> all_ids(const Communicator& comm, const IdTable& table) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < table.block_size(); ++i) lengths.push_back(std::ssize(table[i]));
  const auto all_lengths = comm.all_gather(std::span<const std::int64_t>(lengths)).data;
  const auto bytes = comm.all_gather(std::span<const char>(table.bytes)).data;
  std::vector<std::string> names;
  const auto* at = bytes.data();
  for (const auto length : all_lengths) {
    names.emplace_back(at, static_cast<std::size_t>(length));
    at += length;
  }
  return names;
}

IdTable keep_ids(const Communicator& comm, const IdTable& table, std::span<const char> keep) {
  std::vector<std::uint16_t> lengths;
  std::string bytes;
  std::vector<std::int64_t> byte_begin{0};
  for (std::int64_t i = 0; i < table.block_size(); ++i) {
    if (!keep[i]) continue;
    lengths.push_back(static_cast<std::uint16_t>(table[i].size()));
    bytes.append(table[i]);
    byte_begin.push_back(std::ssize(bytes));
  }
  const auto from = distribution_of(comm, std::ssize(lengths));
  IdTable kept;
  kept.distribution = Distribution::even(from.total(), comm.size());
  std::vector<std::int64_t> send_begin;
  std::vector<std::int64_t> send_bytes;
  const auto mine = from.begin(comm.rank());
  for (int r = 0; r <= comm.size(); ++r) {
    const auto edge = r < comm.size() ? kept.distribution.begin(r) : from.total();
    const auto cut = std::clamp<std::int64_t>(edge - mine, 0, std::ssize(lengths));
    send_begin.push_back(cut);
    send_bytes.push_back(byte_begin[cut]);
  }
  const auto got = comm.exchange(std::span<const std::uint16_t>(lengths), std::span(std::as_const(send_begin)));
  const auto text = comm.exchange(std::span<const char>(bytes), std::span(std::as_const(send_bytes)));
  for (const auto length : got.data) kept.begin.push_back(kept.begin.back() + static_cast<std::int64_t>(length));
  kept.bytes.assign(text.data.begin(), text.data.end());
  return kept;
}

}  // namespace cohort
