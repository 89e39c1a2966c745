#include "data/id_names.hpp"

#include <algorithm>

namespace cohort {

std::vector<std::string> texts_of(const Communicator& comm, const Distribution& blocks,
                                  std::span<const std::int64_t> numbers,
                                  const std::function<std::string_view(std::int64_t)>& at) {
  std::vector<std::int64_t> distinct(numbers.begin(), numbers.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  // Blocks ascend with the ranks, so what they give stands in the order of the numbers.
  std::vector<std::int64_t> length;
  std::string bytes;
  for (const auto number : distinct) {
    if (number < blocks.begin(comm.rank()) || number >= blocks.end(comm.rank())) continue;
    const auto text = at(number - blocks.begin(comm.rank()));
    length.push_back(std::ssize(text));
    bytes += text;
  }
  const auto all_bytes = comm.all_gather(std::span<const char>(bytes)).data;
  std::vector<std::string> texts;
  auto from = all_bytes.begin();
  for (const auto size : comm.all_gather(std::span<const std::int64_t>(length)).data) {
    texts.emplace_back(from, from + size);
    from += size;
  }
  std::vector<std::string> result;
  for (const auto number : numbers) {
    result.push_back(texts[std::ranges::lower_bound(distinct, number) - distinct.begin()]);
  }
  return result;
}

}  // namespace cohort
