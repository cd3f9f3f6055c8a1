// See search_program.h.
#include "fuzzers/drivers/verify/search_program.h"

#include <algorithm>

#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/rules/driver_rules.h"

namespace cancelsafe::drivers {
namespace {

uint64_t Mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

// What searching a program with one failing allocation, or none, gave.
struct Part {
  ProgramEnd end = ProgramEnd::kPassed;
  DriverTally tally;
  bool unjudged[kUnjudgedCount] = {};
  int allocations = 0;
  bool starved = false;

  void Note(Unjudged why) { unjudged[static_cast<int>(why)] = true; }
};

class ProgramSearch {
 public:
  ProgramSearch(DriverRunner* runner, const DriverProgram& program,
                const ProgramSearchOptions& options)
      : runner_(runner), program_(program), options_(options) {
    program_.schedule = schedule::Schedule();
    program_.schedule.memory = options.memory;
  }

  // With as many fibers for the driver as it needs.
  Part SearchWith(int fail_allocation) {
    program_.fail_allocation = fail_allocation;
    for (program_.driver_fibers = 0;; ++program_.driver_fibers) {
      Part part = SearchOnce();
      if (!part.starved || program_.driver_fibers == kMaxDriverFibers) return part;
    }
  }
  // Of the last run.
  DriveFinding Finding() const {
    DriveFinding finding;
    finding.verdict = output_->verdict;
    finding.program = program_;
    finding.program.schedule = output_->schedule.executed;
    finding.preemptions = output_->schedule.preemptions;
    finding.decisions = output_->schedule.decisions;
    return finding;
  }

 private:
  Part SearchOnce() {
    DriverSearchOptions search_options;
    search_options.stop = options_.stop;
    if (options_.executions_max != 0) search_options.max_runs = options_.executions_max;
    runner_->CountRaces(!IgnoresRaces(options_.ignored));
    DriverSearch search(program_, runner_, search_options);
    Part part;
    while (search.Next()) {
      if (search.begins()) part = Part();
      if (Judge(search, &part)) break;
    }
    if (search.end() == schedule::ExploreEnd::kStopped) part.end = ProgramEnd::kStopped;
    part.tally.executions = search.runs();
    part.tally.cut = search.cut_runs();
    const bool over = part.end == ProgramEnd::kViolation || part.starved;
    if (!over && !search.complete()) {
      const bool noted = part.unjudged[static_cast<int>(Unjudged::kNotProvided)];
      if (search.end() == schedule::ExploreEnd::kOutOfRuns) {
        part.Note(Unjudged::kTooLarge);
      } else if (!noted) {
        part.Note(Unjudged::kOther);
      }
    }
    return part;
  }

  // True if the search is over.
  bool Judge(const DriverSearch& search, Part* part) {
    output_ = &search.output();
    part->allocations = std::max(part->allocations, output_->allocations);
    part->tally.skipped += output_->skipped;
    if (output_->starved) {
      part->starved = true;
      part->Note(Unjudged::kTooManyActivities);
      return true;
    }
    if (output_->restless) part->Note(Unjudged::kNoRest);
    const Verdict& verdict = output_->verdict;
    if (verdict.ok()) return false;
    if (verdict.kind == VerdictKind::kUnknown) {
      const bool missing = verdict.rule == InfoOf(DriverRule::kNotProvided).name;
      part->Note(missing ? Unjudged::kNotProvided : Unjudged::kOther);
      return false;
    }
    if (IsIgnored(options_.ignored, verdict)) {
      ++part->tally.ignored;
      return false;
    }
    part->end = ProgramEnd::kViolation;
    return true;
  }

  DriverRunner* const runner_;
  DriverProgram program_;
  const ProgramSearchOptions& options_;
  const DriverRunOutput* output_ = nullptr;
};

}  // namespace

const char* UnjudgedText(Unjudged why) {
  switch (why) {
    case Unjudged::kTooManyActivities:
      return "in which the driver starts more at a time than there are fibers for";
    case Unjudged::kNotProvided:
      return "in which a service is reached that is not provided";
    case Unjudged::kNoRest:
      return "in which the driver does not come to rest";
    case Unjudged::kTooLarge:
      return "with more executions than --executions";
    case Unjudged::kOther:
      break;
  }
  return "with an execution that is too long or cannot be repeated";
}

void DriverTally::Add(const DriverTally& other) {
  programs += other.programs;
  executions += other.executions;
  cut += other.cut;
  skipped += other.skipped;
  ignored += other.ignored;
  for (int i = 0; i < kUnjudgedCount; ++i) unjudged[i] += other.unjudged[i];
  digest += other.digest;
}

ProgramEnd SearchProgram(DriverRunner* runner, const DriverProgram& program, uint64_t hash,
                         const ProgramSearchOptions& options, DriverTally* tally,
                         DriveFinding* finding) {
  ProgramSearch search(runner, program, options);
  DriverTally sum;
  bool unjudged[kUnjudgedCount] = {};
  ProgramEnd end = ProgramEnd::kPassed;
  int last = 0;
  for (int fail = 0; fail <= last && end == ProgramEnd::kPassed; ++fail) {
    // What fails while the driver is loaded fails alike in all programs.
    if (fail == 1 && program.operations.size() > 1) fail += options.load_allocations;
    if (fail > last) break;
    const Part part = search.SearchWith(fail);
    if (part.end == ProgramEnd::kStopped) return part.end;
    end = part.end;
    if (fail == 0 && options.failures) last = std::min(part.allocations, kMaxFailAllocation);
    sum.Add(part.tally);
    uint64_t judged = 0;
    for (int i = 0; i < kUnjudgedCount; ++i) {
      unjudged[i] |= part.unjudged[i];
      judged = judged << 1 | (part.unjudged[i] ? 1u : 0u);
    }
    hash = Mixed(Mixed(hash, static_cast<uint64_t>(part.tally.executions)),
                 judged << 1 | (part.end == ProgramEnd::kViolation ? 1u : 0u));
  }
  if (end == ProgramEnd::kViolation) *finding = search.Finding();
  ++sum.programs;
  for (int i = 0; i < kUnjudgedCount; ++i) sum.unjudged[i] += unjudged[i];
  // A sum, so that the order of programs and the number of shards do not matter.
  sum.digest = hash;
  tally->Add(sum);
  return end;
}

}  // namespace cancelsafe::drivers
