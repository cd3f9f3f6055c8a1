// Bounded exhaustive exploration: every schedule of a program with at most k
// preemptions, by running it again and again, depth first. Ends with "complete" or
// with the reason why not. Knows no programs: the caller runs them.
//
// Reduction. After a fiber's own continuation c was explored at a decision, c
// "sleeps" in the branches that preempt it there until something dependent on its
// next event has been done: a run that resumes it earlier only swaps neighbouring
// independent events of a run already explored, at no smaller cost. (With sleep sets
// for the other alternatives too, which cost a preemption themselves, a bounded
// search would lose outcomes; they are used only if the bound is off.)
//
// Two events are dependent if they are on the same object, or one is on no object
// (null), or both block on or wake the same one; two events on one object that are
// both of `reading` kinds are not. The start of a fiber depends on nothing. The
// reduction is therefore sound if between two points a fiber touches only what the
// object of the first point stands for (the word itself, or all that the lock
// guards), and nothing shared before its first point. With a point at every load and
// store that holds by itself. `reduce = false` needs no such condition.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_EXPLORE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/schedule/executor.h"

namespace cancelsafe::schedule {

struct ExploreOptions {
  int preemptions = 2;             // at most; negative: any number
  int64_t max_runs = INT64_MAX;    // finished and pruned runs together
  int max_points = 20480;          // the longest run that can be explored
  bool reduce = true;              // leave out runs that only swap independent events
  uint64_t reading_kinds[4] = {};  // bit k: events of kind k on one object commute
};

enum class ExploreEnd : uint8_t {
  kRunning,
  kComplete,          // all schedules within the bound were explored
  kOutOfRuns,         // max_runs was reached
  kRunTooLong,        // a run passed more than max_points points
  kStopped,           // Stop was called
  kNondeterministic,  // the program did not repeat itself under the same choices
};

// Use: while (explorer.Next()) { run the program with RunWith(&explorer, ...);
// explorer.Finished(result); look at the result unless explorer.pruned(); }
// A run may be given any RunOptions that do not change its course.
class Explorer final : public Scheduler {
 public:
  explicit Explorer(const ExploreOptions& options);

  // Whether there is another run to make; prepares it. O(length of a run).
  bool Next();
  // To be called after each run.
  void Finished(const RunResult& result);
  // Ends the exploration at the next Next.
  void Stop() { end_ = ExploreEnd::kStopped; }

  // The last run was given up half-way because it is equivalent to an earlier one;
  // its result means nothing and it is not counted in runs().
  bool pruned() const { return prune_; }
  // Finished runs, the same number on every machine.
  int64_t runs() const { return runs_; }
  int64_t pruned_runs() const { return pruned_runs_; }
  ExploreEnd end() const { return end_; }

  void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) override;
  int Pick(const Decision& decision) override;
  bool sees_all_points() const override { return true; }

 private:
  // What an event does to shared state, as sets of object numbers modulo 64.
  struct Footprint {
    uint64_t reads = 0;
    uint64_t writes = 0;
  };
  // One place where a fiber was picked, on the path that is being explored.
  struct Node {
    uint8_t enabled;
    int8_t current;  // the fiber that got here, if it could go on, else -1
    int8_t chosen;
    uint8_t todo;  // fibers still to be chosen here
    uint8_t sleeping;
    int used;                         // preemptions on the way here
    Footprint event[kFiberCapacity];  // of the pending events, exact once executed
  };

  static int Cost(const Node& node, int fiber) {
    return node.current >= 0 && node.current != fiber ? 1 : 0;
  }
  static bool Dependent(const Footprint& a, const Footprint& b);
  Footprint FootprintOf(const PendingEvent& event) const;
  bool Repeats(const Decision& decision) const;
  bool Extend(const Decision& decision);
  int GiveUp(ExploreEnd why);

  const ExploreOptions options_;
  std::vector<Node> path_;  // of fixed size: it must not grow on a fiber
  std::size_t length_ = 0;  // nodes of the path
  std::size_t depth_ = 0;   // of them passed by this run
  bool prune_ = false;
  bool ran_ = false;
  int64_t runs_ = 0;
  int64_t pruned_runs_ = 0;
  ExploreEnd end_ = ExploreEnd::kRunning;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_EXPLORE_H_
