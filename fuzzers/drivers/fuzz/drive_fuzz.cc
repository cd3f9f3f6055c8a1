// See drive_fuzz.h. The minimiser is in drive_minimize.cc.
#include "fuzzers/drivers/fuzz/drive_fuzz.h"

#include <algorithm>
#include <chrono>

#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/run/cause.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kSchedulesPerProgram = 8;

}  // namespace

DriveFuzzResult DriveFuzzer::Fuzz(const DriveFuzzOptions& options,
                                  const std::function<void(const DriveFinding&)>& found) {
  DriveFuzzResult result;
  result.facts = runner_.Learn();
  DriverVocabulary vocabulary;
  vocabulary.reads = result.facts.reads;
  vocabulary.writes = result.facts.writes;
  if (result.facts.controls) vocabulary.codes = result.facts.codes;
  vocabulary.unloads = result.facts.filters;
  const DriverProfile* const profile = runner_.profile();
  if (profile != nullptr) vocabulary.requests = profile->requests;
  // A driver that fails before any request needs no search.
  if (const Verdict& verdict = result.facts.verdict; !verdict.ok() &&
                                                     verdict.kind != VerdictKind::kUnknown &&
                                                     !IsIgnored(options.ignored, verdict)) {
    DriveFinding finding;
    finding.verdict = verdict;
    finding.program.driver_fibers = kMaxDriverFibers;
    finding.program.schedule.memory = options.memory;
    finding.confirmed = Shows(finding.program, verdict, &finding);
    result.runs = 2;
    result.findings.push_back(finding);
    if (found) found(finding);
    return result;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto is_over = [&] {
    if (options.runs_max != 0 && result.runs >= options.runs_max) return true;
    if (options.seconds_max == 0) return false;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    return passed.count() >= options.seconds_max;
  };
  std::set<std::string> seen;
  Random random(options.seed);
  runner_.CountRaces(!IgnoresRaces(options.ignored));
  DriverRunOptions run_options;
  while (!is_over()) {
    DriverProgram program = GenerateDriverProgram(vocabulary, &random);
    program.schedule.memory = options.memory;
    ++result.programs;
    for (int i = 0; i < kSchedulesPerProgram; ++i) {
      const DriverRunOutput& output = runner_.Run(program, run_options);
      ++result.runs;
      result.operations += output.operations;
      result.skipped += output.skipped;
      result.restless += output.restless ? 1 : 0;
      vocabulary.allocations = std::max(vocabulary.allocations, output.allocations);
      if (output.starved && program.driver_fibers < kMaxDriverFibers) {
        vocabulary.driver_fibers = ++program.driver_fibers;
        continue;
      }
      ++program.schedule.seed;
      if (output.verdict.ok()) continue;
      const Verdict verdict = output.verdict;
      if (verdict.kind == VerdictKind::kUnknown) {
        ++result.not_judged[verdict.reason];
        continue;
      }
      if (IsIgnored(options.ignored, verdict)) {
        ++result.ignored[verdict.rule];
        continue;
      }
      const std::string cause = CauseKey(verdict);
      if (!seen.insert(cause).second) {
        ++result.again[verdict.rule];
        break;
      }
      --program.schedule.seed;
      DriveFinding finding;
      finding.verdict = verdict;
      finding.program = program;
      const bool hung = output.hung;
      finding.confirmed = Shows(program, verdict, &finding);
      if (finding.confirmed && !hung) {
        const DriveFinding raw = finding;
        finding = Minimize(raw, options.minimize_runs_max);
        // A smaller program may race at other places, which are another cause. If that is known,
        // this one is made small by itself; otherwise it is met again.
        if (const std::string small = CauseKey(finding.verdict); small != cause) {
          if (seen.insert(small).second) {
            seen.erase(cause);
          } else {
            wanted_cause_ = cause;
            finding = Minimize(raw, options.minimize_runs_max);
            wanted_cause_.clear();
          }
        }
      }
      finding.found_after = result.runs;
      if (profile != nullptr) finding.profile = profile->path;
      result.findings.push_back(finding);
      if (found) found(finding);
      if (options.stops_at_first) return result;
      break;
    }
  }
  return result;
}

}  // namespace cancelsafe::drivers
