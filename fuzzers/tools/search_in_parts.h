// A complete search of one program in several processes: at first in this one, and what is left
// after a while in rounds, in each of which the processes go on with the parts that are open
// (fuzzers/schedule/split_exploration.h). What is explored, counted and found depends on the number
// of processes only in that there is one or there are several. Prints nothing.
#ifndef CANCELSAFE_FUZZERS_TOOLS_SEARCH_IN_PARTS_H_
#define CANCELSAFE_FUZZERS_TOOLS_SEARCH_IN_PARTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/signals.h"
#include "fuzzers/run/complete_search.h"
#include "fuzzers/schedule/split_exploration.h"
#include "fuzzers/tools/crew.h"
#include "fuzzers/tools/explore_progress.h"
#include "fuzzers/tools/found.h"

namespace cancelsafe {

struct PartsOptions {
  int jobs = 1;
  int64_t max_runs = INT64_MAX;
  int hang_seconds = 20;  // a thousand runs that take longer are a livelock
  ExploreProgress* progress = nullptr;
  // Called at the beginning of each other process.
  std::function<void()> begin = [] {};
  // Whether the implementation has done to its process what makes a success worth nothing.
  std::function<bool()> spoilt = [] { return false; };
};

class SearchInParts {
 public:
  // All outlive the search. The alarm is on while it runs.
  SearchInParts(const Program& program, Runner* runner, const PartsOptions& options,
                const StopSignals& stop);
  ~SearchInParts();

  // Makes the next run that this process makes, and judges it; false if there is none. Those of
  // the others are all made before it returns. A failure of theirs is shown here, in the part
  // that is made again. *passed: without a violation. Throws a SetupError for what the system
  // refuses.
  bool Next(bool* passed);

  CompleteState state() const;
  // Whether another process found a failure, or ended, in a part that showed nothing when it was
  // made again here: the implementation keeps something from one run to the next.
  bool lost_failure() const { return again_ && !stopped_; }
  // What the runs that count have left out.
  const LeftOut& left_out() const { return left_out_; }
  // As of CompleteSearch.
  std::string Summary() const { return search_->Summary(state()); }

 private:
  struct Returned;
  bool NextOfThisProcess(bool* passed);
  bool StopsBefore();
  bool PausesBefore() const;
  void MakeRounds();
  // In a process that goes on with parts.
  TaskEnd Search(schedule::SplitExploration::Part* part, Returned* returned);
  // True if there may be another round.
  bool MakeRound(std::vector<schedule::SplitExploration::Part*> parts, Returned* returned);

  const PartsOptions options_;
  const StopSignals& stop_;
  std::unique_ptr<CompleteSearch> search_;
  std::unique_ptr<schedule::SplitExploration> split_;  // once there are parts
  const CrewMember* member_ = nullptr;                 // in a process that goes on with parts
  int64_t runs_at_a_time_;
  int64_t shown_ = 0;  // runs of this process, also those that repeat others
  bool stopped_ = false;
  bool again_ = false;   // a failing part
  CompleteState flaws_;  // of other processes
  LeftOut left_out_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_SEARCH_IN_PARTS_H_
