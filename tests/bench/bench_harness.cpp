#include "bench_harness.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "kernels/dispatch.hpp"

namespace cohort::bench {
namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace

void Bench::measure(const std::string& group, int threads, const std::vector<Case>& cases) {
  std::vector<Result> results;
  for (const Case& each : cases) {
    each.run();
    results.push_back({group, each.name, each.unit, threads, {}, 0, 0, {}});
  }
  for (int repetition = 0; repetition < options_.repetitions; ++repetition) {
    for (std::size_t i = 0; i < cases.size(); ++i) results[i].seconds.push_back(cases[i].run());
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    results[i].median = median_of(results[i].seconds);
    results[i].rate = cases[i].work / results[i].median;
  }
  std::printf("\n%s, %d thread%s\n", group.c_str(), threads, threads == 1 ? "" : "s");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Result& result = results[i];
    const auto [least, most] = std::minmax_element(result.seconds.begin(), result.seconds.end());
    std::printf("  %-44s %10.3f ms (%.3f to %.3f) %9.2f G%s/s", result.name.c_str(), 1e3 * result.median, 1e3 * *least,
                1e3 * *most, result.rate, result.unit.c_str());
    for (const std::string& other : cases[i].against) {
      const auto found =
          std::find_if(results.begin(), results.end(), [&](const Result& each) { return each.name == other; });
      COHORT_CHECK(found != results.end() && found->unit == result.unit, other);
      result.ratios.push_back({other, result.rate / found->rate});
      std::printf("  %.2f x %s", result.ratios.back().value, other.c_str());
    }
    std::printf("\n");
  }
  std::fflush(stdout);
  results_.insert(results_.end(), results.begin(), results.end());
}

std::string Bench::json() const {
  nlohmann::json document;
  document["processor"] = processor();
  document["vector_target"] = vector_target();
  document["repetitions"] = options_.repetitions;
  document["small"] = options_.small;
  for (const Result& result : results_) {
    nlohmann::json each{{"group", result.group},
                        {"name", result.name},
                        {"threads", result.threads},
                        {"seconds", result.seconds},
                        {"median", result.median},
                        {"rate", result.rate},
                        {"unit", "G" + result.unit + "/s"},
                        {"ratios", nlohmann::json::object()}};
    for (const Ratio& ratio : result.ratios) each["ratios"][ratio.to] = ratio.value;
    document["results"].push_back(each);
  }
  return document.dump(1);
}

}  // namespace cohort::bench
