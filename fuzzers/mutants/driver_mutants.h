// The mutants of the family driver: the example drivers of fuzzers/drivers, broken, each fuzzed
// from nothing under several seeds; and repaired, which must come out clean. Every attack and
// every replay is a process of its own.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_DRIVER_MUTANTS_H_
#define CANCELSAFE_FUZZERS_MUTANTS_DRIVER_MUTANTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/drivers/fuzz/examples.h"

namespace cancelsafe {

struct DriverAttackPlan {
  int seeds = 5;           // 1 to this number
  int runs = 300000;       // schedules of one attack, at most
  int replays = 20;        // of the first seed's finding
  int clean_runs = 20000;  // schedules of the repaired form; 0 leaves it out
};

// One seed's attack. Seconds are those of the whole process, minimising included.
struct DriverSeed {
  bool found = false;
  bool expected = false;  // by a rule that the source names
  std::string rule;
  int64_t runs = 0;
  double seconds = 0;
  int operations = 0;  // of the saved program
  int preemptions = 0;
};

struct DriverMutantResult {
  drivers::DriverExample example;
  std::string complaint;  // it could not be built or attacked; "" if it could
  std::vector<DriverSeed> seeds;
  int replays = 0;  // that gave the same verdict
  bool repaired_is_clean = true;

  // By each seed, by a rule that its source names; every replay the same; clean when repaired.
  bool AllIsWell(const DriverAttackPlan& plan) const;
};

// Builds both forms in `work`, a folder of its own, and attacks them with `program`, which is
// cancelsafe. `gap_headers` is impl/include/windows.
DriverMutantResult AttackDriver(const drivers::DriverExample& example, const DriverAttackPlan& plan,
                                const std::string& program, const std::string& gap_headers,
                                const std::string& work);

// One line per mutant, for a terminal; `width` columns for the names.
std::string DriverTableLine(const DriverMutantResult& result, const DriverAttackPlan& plan,
                            size_t width);
// `command` is what makes the table again.
std::string DriverMarkdown(const std::vector<DriverMutantResult>& results,
                           const DriverAttackPlan& plan, const std::string& command);
std::string DriverJson(const std::vector<DriverMutantResult>& results);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_DRIVER_MUTANTS_H_
