#include "explain/linear_response.hpp"

#include "core/ragged.hpp"

namespace cohort {

std::vector<double> linear_response(const Communicator& comm, const ShardGraph& graph, std::span<const double> base,
                                    std::int64_t columns, std::int64_t terms) {
  COHORT_CHECK(std::ssize(base) == graph.owned() * columns && columns > 0 && terms >= 0);
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> sum;
  std::vector<double> next;
  comm.attempt([&] {
    sum.assign(graph.local_rows() * width, 0.0);
    if (terms > 1) next.resize(base.size());
  });
  if (terms == 0) return sum;
  std::ranges::copy(base, sum.begin());
  const auto& adjacency = graph.adjacency;
  for (std::int64_t term = 1; term < terms; ++term) {
    fill_ghosts(comm, graph, columns, std::span<double>(sum));
#pragma omp parallel for schedule(dynamic, 512)
    for (std::int64_t row = 0; row < graph.owned(); ++row) {
      const auto r = static_cast<std::size_t>(row);
      double* out = next.data() + r * width;
      std::copy_n(base.data() + r * width, width, out);
      for (const auto k : places_of(adjacency.row_begin, r)) {
        const auto value = static_cast<double>(adjacency.value[k]);
        const double* in = sum.data() + static_cast<std::size_t>(adjacency.column[k].value) * width;
        for (std::size_t c = 0; c < width; ++c) out[c] += value * in[c];
      }
    }
    std::ranges::copy(next, sum.begin());
  }
  fill_ghosts(comm, graph, columns, std::span<double>(sum));
  return sum;
}

}  // namespace cohort
