// Runs programs in a child process and says what became of each, whatever that
// is: a verdict, a sanitizer's report, a crash, no end. One child judges many
// programs; only one that takes it down costs a new child. Knows nothing of
// minimisation beyond "the same failure".
#ifndef CANCELSAFE_FUZZERS_TOOLS_JUDGE_H_
#define CANCELSAFE_FUZZERS_TOOLS_JUDGE_H_

#include <memory>
#include <string>

#include "base/process.h"
#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// What makes two failures the same: kind and clause (the rule, where there is no
// clause), for a data race the two source lines, and for a crash or a sanitizer's report the
// code where it happened.
struct FailureIdentity {
  VerdictKind kind = VerdictKind::kPass;
  char clause[48] = "";
  char rule[96] = "";
  char where[640] = "";
  // Of a history that fits no order: the number of the Op whose outcome or callbacks are in
  // none; else -1. Kind and clause are what the longest order that works meets next, which
  // another program with the same failure need not meet. So one may be looked for under any
  // clause, with the same operation or with any.
  int operation = -1;
  int item = -1;  // that the call is about, which is no part of the identity; or -1
  enum class Alike : uint8_t {
    kClause,     // the same kind and clause
    kOperation,  // the same operation, under any clause
    kNoOrder,    // any history that fits no order
  };
  Alike alike = Alike::kClause;  // what is looked for, where that is less than the identity

  bool failed() const { return kind != VerdictKind::kPass; }
  bool SameAs(const FailureIdentity& other) const;
};

class Judge {
 public:
  // `runner` has not run anything yet; the children run it.
  explicit Judge(Runner* runner);
  ~Judge();
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  // Runs the program once. If `executed` is not null, it receives the schedule that
  // was executed, as choices.
  FailureIdentity Run(const Program& program, schedule::Schedule* executed = nullptr);

  // The verdict of the last run, as far as one line says it.
  Verdict verdict() const;

  // Searches take place under this schedule's model of memory, and find failures with at
  // most as many stale choices as it has.
  void Allow(const schedule::Schedule& schedule);

  // Looks for a schedule under which the program fails like `wanted`: all schedules
  // with one preemption as far as a bound goes, then random ones. Deterministic.
  bool Reschedule(const FailureIdentity& wanted, Program* program);
  // The same failure with at most `preemptions` preemptions, if a bounded number of
  // schedules finds one.
  bool FewerPreemptions(const FailureIdentity& wanted, int preemptions, Program* program);

  // Of the last run, or of the one that a search found.
  int preemptions() const;

  // Whether the last run took its child down.
  bool died() const { return died_; }
  // The same failure under a schedule found at random with fewer choices than the
  // program has now.
  bool FewerChoices(const FailureIdentity& wanted, Program* program);

  int children() const { return children_; }

  // Failures in different places are different ones from now on: `place` says, of the
  // runner's last run, where that was. What it returns is a part of the identity.
  void set_place(std::string (*place)(const Runner& runner)) { place_ = place; }

  // The next run is the first of a process.
  void ForgetChild() { StopChild(); }
  // So is each from now on; searches still make many runs in one.
  void set_child_per_run(bool value) { child_per_run_ = value; }

 private:
  struct Shared;
  enum class Answer { kYes, kNo, kDied };

  Answer Ask(char command);
  bool Search(const FailureIdentity& wanted, bool exploring, int runs, int choices_below,
              Program* program);
  bool IsWanted() const;
  void NotePlace();
  void StartChild();
  void StopChild();
  int Serve();
  void RunInChild(schedule::Scheduler* scheduler);
  bool Explore(int preemptions, int64_t runs_max);
  bool ExploreStaleChoices(int64_t* runs_left);
  bool SearchAtRandom(int runs);
  // Without choices, under the model of memory that is allowed.
  schedule::Schedule EmptySchedule() const;
  static void OnSanitizer(VerdictKind kind, const char* description);
  static void OnSignal(int number);
  static void NoteDeath(VerdictKind kind, const char* rule);

  Runner* const runner_;
  Shared* shared_ = nullptr;
  std::unique_ptr<Process> child_;
  int to_child_ = -1;
  int from_child_ = -1;
  int children_ = 0;
  bool died_ = false;
  bool slow_ = false;  // some run had to be killed
  bool child_per_run_ = false;
  std::string (*place_)(const Runner& runner) = nullptr;
  static Judge* active_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_JUDGE_H_
