// The one room where program, schedule, implementation and oracle meet: runs a
// Program on an implementation and says what is wrong with it, if anything.
#ifndef CANCELSAFE_FUZZERS_RUN_RUNNER_H_
#define CANCELSAFE_FUZZERS_RUN_RUNNER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzzers/program/program.h"
#include "fuzzers/run/arena.h"
#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/memory_run.h"
#include "fuzzers/run/recorder.h"
#include "fuzzers/run/stage_clock.h"
#include "oracle/check.h"

namespace cancelsafe {

struct RunnerOptions {
  IgnoreSet ignore;  // rules and clauses that shall not count
  // Every load and store of the implementation is a preemption point, if it was
  // compiled for that.
  bool access_points = false;
  // What the documentation leaves open is judged by this reading: by our own, or by
  // any that it allows.
  Reading reading = Reading::kOwn;
  // The model of memory, where there is an engine for it. Unnamed: the program's, and
  // rc11 for one that names none.
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;
};

// The reading by which an implementation is judged, named as tools name it ("" is the
// built-in one): our own for the built-in one, and for every other any that the
// documents allow, unless it is to be `strict`.
Reading ReadingFor(std::string_view implementation, bool strict);

// What one run gave. Owned by the runner; valid until its next run.
struct RunOutput {
  Verdict verdict;
  // `executed` has the model of memory and the stale choices as well.
  schedule::RunResult schedule;
  // The program lists stale choices that this run did not meet: it is another run than
  // the one they were recorded in.
  bool stale_diverged = false;
  int skipped_operations = 0;    // of the program
  int skipped[kSkipCount] = {};  // the same by reason; [0] counts those carried out
};

class Runner {
 public:
  // `implementation` has to outlive the runner. Sets `*missing` and leaves the
  // runner unusable if the implementation lacks a routine that sets up or empties the
  // family's queue. Operations that call other absent routines are skipped.
  Runner(Family family, const Implementation& implementation, const RunnerOptions& options,
         const char** missing);

  // Runs the program once. Deterministic: the same program gives the same
  // verdict, history and schedule. True if nothing is wrong. About 3 us for 15
  // operations without sanitizers.
  bool Run(const Program& program, const schedule::RunOptions& options = {});
  // Likewise under a scheduler of the caller's (exploration).
  bool RunWith(schedule::Scheduler* scheduler, const Program& program,
               const schedule::RunOptions& options);

  const RunOutput& output() const { return output_; }
  const History& history() const { return recorder_->history(); }
  // From now on the history of each run is also kept as it was recorded, before the driver of
  // the family has completed it.
  void KeepRecordedHistories() {
    if (recorded_ == nullptr) recorded_ = std::make_unique<History>();
  }
  const History& recorded_history() const { return *recorded_; }
  // Whether the last run, which passed and came to its end, would have passed too had this
  // been recorded: the same calls and callbacks in another order. Completes the history, and
  // sets the verdict.
  bool PassesAs(History* history, Verdict* verdict);
  // What the memory model left open in the last run, and what was not done as sequential
  // consistency would.
  const memory::ScheduledChoices& memory_choices() const { return memory_.choices(); }
  std::vector<NotedDeviation> deviations() const { return memory_.deviations(); }
  // What lies at an address of the last run: "Cancel of item 0", or "".
  std::string NameOf(uintptr_t address) const;
  Family family() const { return family_; }
  // Whether --ignore leaves out this verdict; and what is known of a run that it ended.
  bool Ignores(const Verdict& verdict) const { return options_.ignore.Covers(verdict); }
  static Verdict CutShort(const Verdict& by);
  const Checker& checker() const { return checker_; }
  // Whether every access that the implementation makes is a preemption point which the
  // memory engine sees.
  bool sees_all_accesses() const { return sees_all_accesses_; }
  // Documented routines that the implementation lacks, or "".
  const std::string& absent_routines() const { return absent_.names; }
  // Semantic coverage: the counter at hash(model state, operation) is set to 1
  // along every accepted history. `size` is a power of two.
  void SetStateCoverage(uint8_t* counters, uint32_t size);
  // Where the time of each run is added up; null (the default) for nowhere.
  void SetStageClock(StageClock* clock) { clock_ = clock; }

  // From now on, what a fiber does is this instead of the program's operations, which
  // it should carry out all the same. For tests written in C++.
  using FiberBody = void (*)(void* context, FamilyDriver* driver, int fiber);
  void SetBody(FiberBody body, void* context) {
    body_ = body;
    body_context_ = context;
  }

  // From now on the choices of the memory model are made by it; null: by the schedule.
  void SetMemoryChooser(memory::Chooser* chooser) { memory_.SetChooser(chooser); }
  // Of RunnerOptions.
  schedule::MemoryModel memory() const { return options_.memory; }
  // Whether the last run could have gone on otherwise where that could not be offered.
  bool memory_bounded() const { return memory_.bounded(); }

  // True from within a run, for handlers of the process's end: then the implementation
  // under test has ended it.
  static bool in_run() { return in_run_; }

  // A number for everything that happened in the last run: history, schedule and
  // verdict. Equal for equal programs, in any process.
  uint64_t Digest() const;

  // The program with its executed schedule written out as choices: what gets
  // saved. Runs it again, in a way that makes TSan's answer depend on nothing but
  // the program; output() is of that run.
  Program Executed(const Program& program);

 private:
  static void Body(void* context, int fiber);
  static void DrainBody(void* context, int fiber);
  bool RunAll(schedule::Scheduler* scheduler, const Program& program,
              const schedule::RunOptions& options);
  void Judge(const schedule::RunOptions& options);
  void LeaveOut();
  void AddStaleChoices();

  static bool in_run_;
  static int runners_;  // that there have been

  const int number_ = ++runners_;
  const Family family_;
  RunnerOptions options_;
  const bool sees_all_accesses_;
  bool ignores_data_races_ = false;
  bool ignores_uses_after_free_ = false;
  int race_reports_ = 0;  // in the run before
  std::unique_ptr<Recorder> recorder_;
  Arena arena_;
  MemoryRun memory_;
  std::unique_ptr<FamilyDriver> driver_;
  const AbsentRoutines absent_;
  std::unique_ptr<History> recorded_;  // if it is to be kept
  Checker checker_;
  CheckOptions check_options_;
  RunOutput output_;
  schedule::RunResult drain_;  // large, so not on the stack
  const Program* program_ = nullptr;
  // Where a fiber's operations lie in the program.
  struct OperationRange {
    int first = 0;
    int end = 0;
  };
  OperationRange range_[kMaxFibers];
  FiberBody body_ = nullptr;
  void* body_context_ = nullptr;
  StageClock* clock_ = nullptr;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_RUNNER_H_
