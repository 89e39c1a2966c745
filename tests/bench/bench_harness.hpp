// Times groups of cases, one repetition of each in turn so that a noisy machine treats all of them alike, and states
// each as a ratio to another case of its group: a limit of the machine, or a peer, measured in the same minute.
//
// A new area is one file with one function `void bench_xyz(Bench&)`, declared in bench_areas.hpp and listed in
// bench_main.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/stopwatch.hpp"

namespace cohort::bench {

/// Seconds of one call.
template <class Body>
double seconds_of(Body&& body) {
  const Stopwatch stopwatch;
  body();
  return stopwatch.seconds();
}

struct Case {
  std::string name;                  ///< unique in its group
  double work = 0;                   ///< of one run, in giga-`unit`
  std::string unit;                  ///< "FLOP", "B"
  std::function<double()> run;       ///< one run; returns its seconds
  std::vector<std::string> against;  ///< cases of the group (of the same unit) whose rate this one's is divided by
};

struct Ratio {
  std::string to;
  double value = 0;  ///< this rate / that rate: medians
};

struct Result {
  std::string group;
  std::string name;
  std::string unit;
  int threads = 1;
  std::vector<double> seconds;  ///< every repetition
  double median = 0;
  double rate = 0;  ///< giga-`unit` a second, of the median
  std::vector<Ratio> ratios;
};

struct Options {
  std::vector<int> threads{1, 2};
  int repetitions = 7;
  bool small = false;  ///< sizes for a test of the harness, not for figures
  std::string only;    ///< areas whose names contain this
  std::string peer;    ///< a Python interpreter that has PyTorch; empty: none
  std::string dgl;     ///< the same that has DGL
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}
  const Options& options() const { return options_; }

  /// Runs every case once unmeasured, then `repetitions` rounds over all; prints the group's table.
  void measure(const std::string& group, int threads, const std::vector<Case>& cases);

  const std::vector<Result>& results() const { return results_; }
  /// Machine, target, options and every result, as JSON.
  std::string json() const;

 private:
  Options options_;
  std::vector<Result> results_;
};

}  // namespace cohort::bench
