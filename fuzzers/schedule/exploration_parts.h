// The parts of one complete exploration that are open: which of them can be gone on with side by
// side, and how what each has found goes together. What is explored in all, once each class of
// equivalent executions, does not depend on how it was cut. Runs nothing.
//
// A part is a path, of which some first steps belong to other parts. Where one has more fibers to
// try near its beginning, the steps behind that place become a part of their own, and the rest
// goes on with the next fiber there, as it would when these are done: what was tried sleeps. A
// step is not given up as long as a part lies behind it, since what is found there can ask for
// more to be tried here.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_EXPLORATION_PARTS_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_EXPLORATION_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fuzzers/schedule/path_step.h"

namespace cancelsafe::schedule {

class ExplorationParts {
 public:
  struct Part {
    std::vector<PathStep> path;
    std::size_t kept = 0;  // the step that it must not go back beyond

   private:
    friend class ExplorationParts;
    std::size_t first = 0;   // before it are steps of others
    Part* parent = nullptr;  // that the step before `first` belongs to
    int parts_behind = 0;    // whose parent it is
    bool waits = false;      // for parts behind it: there is nothing else to try
    double share = 1;        // of the whole
  };

  // Begins with one part: an exploration that was left with this path.
  void Begin(const PathStep* path, std::size_t length);

  // Up to `most` parts that can be gone on with now, those that come first in the order of a
  // single exploration; cuts open ones until there are so many, or none can be cut. O(steps of
  // all parts). They stay valid until they are returned.
  std::vector<Part*> Take(std::size_t most);
  // What the part has become: its path now; `complete` if nothing is left to be tried in the steps
  // that it may go back to.
  void Return(Part* part, const PathStep* path, std::size_t length, bool complete);

  // As CompleteExplorer::Done. O(steps of all parts).
  double Done() const;

 private:
  // Cuts the part at the first of its steps where more is to be tried. Null if there is none;
  // else what lies behind.
  std::unique_ptr<Part> Cut(Part* part);
  // Whose the step is.
  static Part* OwnerOf(Part* part, std::size_t at);
  // The last step that a part lies behind, or its first.
  std::size_t LastNeeded(const Part& part) const;
  void Finish(Part* part);

  std::vector<std::unique_ptr<Part>> parts_;  // in the order of a single exploration
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_EXPLORATION_PARTS_H_
