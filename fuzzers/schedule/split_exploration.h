// One complete exploration that several explorers, mostly of several processes, go on with side by
// side: its parts (exploration_parts.h), what was learned, and the sums. How the processes talk to
// each other is up to the caller, who hands PartReturns to the one that has this.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_SPLIT_EXPLORATION_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_SPLIT_EXPLORATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/complete_knowledge.h"
#include "fuzzers/schedule/exploration_parts.h"

namespace cancelsafe::schedule {

// What an explorer that went on with a part has to say. Plain, for memory that processes share;
// what is not used of it is not touched.
struct PartReturn {
  int64_t runs;
  int64_t cut_runs;
  ExploreEnd end;  // kRunning: it was left before its end
  bool learned_more;
  CompleteKnowledge::Flat known;
  std::size_t length;
  alignas(PathStep) unsigned char path[CompleteOptions::kMaxPoints * sizeof(PathStep)];
};

// `explorer` is between two runs.
void WritePart(const CompleteExplorer& explorer, PartReturn* out);

class SplitExploration {
 public:
  using Part = ExplorationParts::Part;

  // Goes on where the explorer is, between two runs.
  explicit SplitExploration(const CompleteExplorer& begun);

  // The parts of the next round: none when all is explored, or `end` says why not. Each is to be
  // gone on with by an explorer that resumes it with the steps that it keeps and what is known
  // now, and returned in this order; what all rounds explore depends on nothing else.
  std::vector<Part*> Take(std::size_t most);
  const CompleteKnowledge& known() const { return known_; }
  // Takes in what became of a part, and may overwrite it.
  void Return(Part* part, PartReturn* returned);

  // What was returned shows that all has to be explored again: no run of those before counts.
  bool begins_again() const { return again_; }

  // As those of CompleteExplorer.
  int64_t runs() const { return runs_; }
  int64_t cut_runs() const { return cut_runs_; }
  ExploreEnd end() const { return end_; }
  double Done() const { return parts_.Done(); }

 private:
  CompleteKnowledge known_;
  ExplorationParts parts_;
  bool again_ = false;  // what was explored was explored without knowing enough
  int64_t runs_;
  int64_t cut_runs_;
  ExploreEnd end_;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_SPLIT_EXPLORATION_H_
