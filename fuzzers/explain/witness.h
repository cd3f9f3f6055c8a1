// The scheduler that only looks: picks what would have happened anyway and notes
// every preemption point with the state of the virtual processor there. Its notes
// become the close view of an Observation. Does not decide anything.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_WITNESS_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_WITNESS_H_

#include <vector>

#include "fuzzers/explain/observation.h"
#include "fuzzers/run/machine.h"

namespace cancelsafe {

class Witness final : public schedule::Scheduler {
 public:
  // `history` is the one that the run records; it gives the notes their place.
  explicit Witness(const History& history);

  void Start(const schedule::Schedule& schedule, int fibers, const uint16_t* hint) override;
  int Pick(const schedule::Decision& decision) override;
  bool sees_all_points() const override { return true; }

  // How many points were passed before this event of the memory engine, and the last
  // decision before it, or -1.
  int PointsBefore(uint32_t event) const;
  int StepBefore(uint32_t event) const;

  // Puts points, lock spans and orderings into `*observation`.
  void Finish(Observation* observation) const;

 private:
  struct Note {
    PassedPoint point;
    bool cancel_lock = false;
    uint32_t events = 0;  // of the memory engine so far
    bool raced = false;   // TSan has seen a race before this
  };

  // When the step that follows note `i` on its fiber was carried out.
  Moment CarriedOut(int i) const;
  void FindLocks(Observation* observation) const;
  void FindInterlockedOrderings(Observation* observation) const;

  const History& history_;
  int points_[kMaxFibers] = {};
  std::vector<Note> notes_;  // of fixed capacity: it must not grow on a fiber
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_WITNESS_H_
