// What was measured: every benchmark's costs, one per round. Rounds are whole
// passes over all benchmarks, so what is compared was measured alternately.
#ifndef CANCELSAFE_IMPL_BENCH_MEASUREMENTS_H_
#define CANCELSAFE_IMPL_BENCH_MEASUREMENTS_H_

#include <benchmark/benchmark.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cancelsafe {

// A figure and how far its repetitions lay apart: half the distance between the
// quartiles, relative to the figure.
struct Figure {
  double value;
  double noise;
};

class Measurements {
 public:
  // Adds one round's cost, in nanoseconds per operation.
  void Add(const std::string& benchmark, double nanoseconds);
  // The median over rounds, or nothing if `benchmark` was not run.
  std::optional<Figure> Cost(const std::string& benchmark) const;
  // Cost of `above` divided by that of `below`: the median of the rounds' ratios, so
  // that what disturbed both in one round cancels out. Nothing if a round lacks one.
  std::optional<Figure> Ratio(const std::string& above, const std::string& below) const;
  // The least cost of `above` in any round divided by that of `below`: for costs that are
  // least times themselves, which a busy machine lengthens and never shortens. The noise
  // is that of Ratio.
  std::optional<Figure> LeastRatio(const std::string& above, const std::string& below) const;

  const std::map<std::string, std::vector<double>>& costs() const { return costs_; }

 private:
  std::map<std::string, std::vector<double>> costs_;
};

// Feeds Measurements from Google Benchmark. Prints only what could not be measured.
class CollectingReporter : public benchmark::BenchmarkReporter {
 public:
  explicit CollectingReporter(Measurements* measurements) : measurements_(measurements) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  Measurements* const measurements_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_MEASUREMENTS_H_
