// The ratios that are promised, from what was measured.
#ifndef CANCELSAFE_IMPL_BENCH_RATIOS_H_
#define CANCELSAFE_IMPL_BENCH_RATIOS_H_

#include <string>
#include <vector>

#include "measurements.h"

namespace cancelsafe {

struct PromisedRatio {
  std::string name;
  Figure figure;
  // What is promised: at least `limit`, or at most. 0 if the ratio is for information.
  double limit;
  bool at_least;

  bool Kept() const {
    return limit == 0 || (at_least ? figure.value >= limit : figure.value <= limit);
  }
};

// Ratios whose benchmarks were all run.
std::vector<PromisedRatio> RatiosOf(const Measurements& measurements);

// The names of the promises that have no figure among `ratios`: a benchmark did not run, or not
// in every round.
std::vector<std::string> NotMeasured(const std::vector<PromisedRatio>& ratios);

// Table for people.
std::string RatiosAsText(const std::vector<PromisedRatio>& ratios);
// {"ratios": {name: value}, "noise": {...}, "limits": {...}, "nanoseconds": {...}}.
std::string RatiosAsJson(const std::vector<PromisedRatio>& ratios,
                         const Measurements& measurements);

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_RATIOS_H_
