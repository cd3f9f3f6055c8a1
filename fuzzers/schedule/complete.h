// Complete exploration: every behaviour of a program, without a bound on preemptions, by
// running it again and again, depth first, with one run for each class of runs that only
// swap neighbouring independent steps. Source sets with sleep sets (Abdulla, Aronis,
// Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014, algorithm 1).
// Knows no programs: the caller runs them.
//
// Complete for what the executor is told: each access to shared state that a run makes has
// to be announced as a point of its own with its object, or added with Executor::Touch,
// before the next point. Two runs are the same if they differ only in how often a fiber
// looked at a lock that another one held.
//
// With `tight_calls` a step is longer than from one point to the next: what only one fiber
// ever uses goes with the step before it. What is shared is not known beforehand: when a run
// shows more of it, the exploration begins again. And one run stands also for those that
// differ from it in which calls had ended when others began: call_orders.h has what they are.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/schedule/call_orders.h"
#include "fuzzers/schedule/complete_knowledge.h"
#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/explore.h"
#include "fuzzers/schedule/footprint.h"
#include "fuzzers/schedule/path_step.h"

namespace cancelsafe::schedule {

struct CompleteOptions {
  static constexpr int kMaxPoints = 4096;
  int64_t max_runs = INT64_MAX;  // finished and cut runs together
  int max_points = kMaxPoints;   // the longest run that can be explored; at most so many
  // Bit k: a point of kind k announces a read of its object; or nothing at all, since
  // what follows it is added with Executor::Touch.
  uint64_t reading_kinds[4] = {};
  uint64_t silent_kinds[4] = {};
  // Without source sets every fiber is tried everywhere, and only sleep sets reduce. The
  // same finished runs, many more cut ones: for tests.
  bool source_sets = true;
  // Runs that differ only in which calls had ended before which others began are one: the
  // caller judges the others by NoteOrders.
  bool tight_calls = false;
  // With tight calls: a count that goes on during a run, by which the caller knows when
  // something happened; or null.
  const uint32_t* time = nullptr;
  // With tight calls: points after which there is seldom anything shared before the next,
  // which is believed until a run shows it to be wrong.
  uint64_t quiet_kinds[4] = {};
};

// Use as the Explorer of explore.h: while (explorer.Next()) { run the program with
// RunWith(&explorer, ...); explorer.Finished(result); look at the result unless
// explorer.cut(); }
class CompleteExplorer final : public Scheduler {
 public:
  explicit CompleteExplorer(const CompleteOptions& options);

  // Whether there is another run to make; prepares it. O(length of a run).
  bool Next();
  // To be called after each run. O(n^2) in the steps of the run that touch what several
  // fibers touch; linear in the others.
  void Finished(const RunResult& result);
  // Ends the exploration at the next Next.
  void Stop() { end_ = ExploreEnd::kStopped; }

  // The last run was given up half-way because every way to go on was explored before:
  // its result means nothing and it is not counted in runs().
  bool cut() const { return cut_; }
  // The last run is made again, or an equivalent one: it is not counted in runs() either.
  bool again() const { return again_; }
  // The steps of the last run, after Finished and before Next; none if it was cut or made
  // again. O(steps).
  void NoteOrders(CallOrders* orders) const;
  // How often the exploration has begun: what was learned before, of runs that no longer count.
  int beginnings() const { return beginnings_; }
  // Finished and cut runs, the same numbers on every machine.
  int64_t runs() const { return runs_; }
  int64_t cut_runs() const { return cut_runs_; }
  ExploreEnd end() const { return end_; }
  // How much of the work is done, from 0 to 1, were all that is known to be left like what is
  // behind: an estimate, which may fall when more is found to do. O(length of a run).
  double Done() const;

  // An exploration can be left between two runs, in parts, and each part be gone on with by an
  // explorer of its own; exploration_parts.h has how they go together. `path` has the steps down
  // to where the part is, of which those before `first` are others': it says what has to be tried
  // there, by their `backtrack`, and does not go back to them. A part that has come to its end
  // keeps its first step: more may have to be tried there.
  void Resume(const CompleteKnowledge& known, const PathStep* path, std::size_t length,
              std::size_t first);
  const CompleteKnowledge& known() const { return known_; }
  const PathStep* path() const { return path_.data(); }
  std::size_t length() const { return length_; }
  // The part has ended early: a run showed more objects to order the fibers than were known, so
  // that all parts have to be begun again.
  bool learned_more() const { return learned_more_; }

  // Called by the running fiber where something is left open that is not the order of
  // steps: a number in [0, alternatives), each of which is tried in some run. O(1).
  int Choose(int alternatives);

  void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) override;
  int Pick(const Decision& decision) override;
  bool sees_all_points() const override { return true; }
  void OnTouch(const volatile void* object, uint8_t parts, bool writes) override;
  void OnBlock(const volatile void* object) override;
  void OnCall(bool begins) override;
  void OnTouchAll() override;
  void OnRest() override;
  // Whether some step did what is not known. With tight calls the exploration is worth nothing
  // then: what such a step may conflict with was left out of the others' footprints.
  bool met_unknown() const { return met_unknown_; }

 private:
  using Step = PathStep;
  using Clock = StepClock;

  Footprint Announced(const PendingEvent& event, const volatile void* object);
  bool IsShared(const Footprint& footprint) const;
  void Touch(uint16_t object, uint8_t parts, bool writes);
  void TouchAnnounced(const Footprint& footprint);
  void NoteLoud();
  // Whether the step that was picked last goes on through the point at which its fiber is.
  bool Passes(const Decision& decision);
  // The step that was picked last has ended.
  void EndStep();
  bool GoBack();
  void BeginAgain();
  bool Extend(const Decision& decision);
  // The step behind the last one of the path.
  Step& NextStep();
  // Makes steps for the run that starts: most programs need few of those that there is room for.
  // Not on a fiber, where a sanitizer would see them written without order.
  void MakeSteps();
  int GiveUp(ExploreEnd why);
  void FindShared();
  void Analyze();
  bool EndsWaiting(int at, int fiber) const;
  // Walks back from the step, or from one that could not be made, through those that it
  // depends on, and sees to it that each order which can be reversed will be.
  void FindRaces(int at, int fiber, const Footprint& footprint, Clock* clock, bool is_new);
  void Reverse(int earlier, int at, int fiber, const Clock& clock);

  const CompleteOptions options_;
  Footprint touched_;             // since the last Pick
  std::vector<Step> path_;        // of fixed room: it must not move, nor grow on a fiber
  std::vector<int> shared_;       // the shared steps before the one that is looked at
  std::vector<uint8_t> users_;    // by object: the fibers that touched it in this run
  std::vector<uint8_t> writers_;  // likewise, that wrote it
  std::size_t length_ = 0;        // steps of the path
  std::size_t first_ = 0;         // of them those that it does not go back to
  std::size_t depth_ = 0;         // of them made in this run
  std::size_t last_ = 0;          // the last that is a step and no choice
  std::size_t first_new_ = 0;     // of them the first that no run before had made
  std::size_t recorded_ = 0;      // likewise, the first whose end is not known

  CompleteKnowledge known_;
  // For tight calls. What each fiber passes within a call is a path, a hash of its points.
  std::vector<uint64_t> newly_quiet_;       // in this run; of fixed room, like path_
  uint64_t path_of_[kFiberCapacity] = {};   // that it has passed in this run
  uint64_t calls_of_[kFiberCapacity] = {};  // begun in this run
  bool in_new_call_[kFiberCapacity] = {};   // since its last point
  // Since the last point of the step, and since its beginning.
  bool part_is_loud_ = false;
  bool step_is_loud_ = false;
  bool trusting_ = false;  // the last point was passed since its path is quiet
  bool mistaken_ = false;  // which was wrong
  bool rerun_ = false;     // the last step of the path is made again
  bool again_ = false;
  int passed_ = 0;  // points within the last step
  int fibers_ = 0;
  bool rested_ = false;  // since the last Pick
  bool met_unknown_ = false;
  bool alone_ = false;  // with tight calls, one fiber: there is one run, and nothing to note
  bool cut_ = false;
  bool ran_ = false;
  bool is_part_ = false;
  bool learned_more_ = false;
  int beginnings_ = 1;
  int64_t runs_ = 0;
  int64_t cut_runs_ = 0;
  ExploreEnd end_ = ExploreEnd::kRunning;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_H_
