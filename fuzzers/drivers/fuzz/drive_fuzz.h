// Fuzzing one driver in this process: programs and schedules by number, a violation confirmed,
// made small, and given back as a file that replays.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_FUZZ_H_
#define CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_FUZZ_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/run/driver_runner.h"

namespace cancelsafe::drivers {

struct DriveFuzzOptions {
  uint64_t seed = 1;
  int64_t runs_max = 0;    // schedules; 0: no bound
  double seconds_max = 0;  // 0: no bound
  bool stops_at_first = true;
  std::set<std::string> ignored;  // names and clauses of rules
  // Of every run, where the build has the memory engine.
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;
  // Runs that the minimiser may take for one finding.
  int minimize_runs_max = 60000;
};

struct DriveFinding {
  Verdict verdict;
  DriverProgram program;  // its schedule is choices alone
  int preemptions = 0;
  int decisions = 0;
  int64_t found_after = 0;  // runs
  bool confirmed = true;    // it happened again when it was repeated
  std::string profile;      // the path of the driver's profile, "" if there was none
};

struct DriveFuzzResult {
  int64_t runs = 0;
  int64_t programs = 0;
  int64_t operations = 0;
  int64_t skipped = 0;
  int64_t restless = 0;  // runs in which the driver did not come to rest: not every rule applies
  std::map<std::string, int64_t> not_judged;  // by reason
  std::map<std::string, int64_t> ignored;     // by rule
  std::map<std::string, int64_t> again;       // runs that showed a cause once more, by rule
  std::vector<DriveFinding> findings;         // each cause once (fuzzers/run/cause.h)
  DriverFacts facts;
};

class DriveFuzzer {
 public:
  explicit DriveFuzzer(DriverRunner* runner) : runner_(*runner) {}

  // `found` is called for each finding.
  DriveFuzzResult Fuzz(const DriveFuzzOptions& options,
                       const std::function<void(const DriveFinding&)>& found = nullptr);

  // The smallest program found with the same rule and clause, within `runs_max` runs.
  DriveFinding Minimize(const DriveFinding& finding, int runs_max);
  // Runs it once, recording; true if it shows the same finding, which is then in *finding with
  // its choices.
  bool Shows(const DriverProgram& program, const Verdict& verdict, DriveFinding* finding);

 private:
  void FewerStaleChoices(DriveFinding* best);
  bool ShowsUnderSome(const DriverProgram& program, const Verdict& verdict, DriveFinding* finding);

  void SmallerValues(int runs_max, DriveFinding* best);
  void PlainerContents(int runs_max, DriveFinding* best);
  bool ShowsInShorter(const DriverProgram& program, int left_out, const Verdict& verdict,
                      DriveFinding* finding);
  bool WithoutPair(DriveFinding* best);
  void FewerPreemptions(int runs_max, DriveFinding* best);

  DriverRunner& runner_;
  int minimize_runs_ = 0;
  int minimize_runs_max_ = 0;
  int decisions_ = 0;         // of the last run
  std::string wanted_cause_;  // only this one is the same finding; "": any of the verdict
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_FUZZ_H_
