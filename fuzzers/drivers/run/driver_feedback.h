// What runs of a driver teach a fuzz engine: which blocks of its code were entered, what became
// of requests, and what comparisons looked for. Knows no engine: counters and a store that are
// given to it.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_FEEDBACK_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_FEEDBACK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/drivers/program/driver_learnt.h"

namespace cancelsafe::drivers {

class DriverFeedback {
 public:
  // For a driver of `blocks` blocks. `outcomes` are `outcome_count` counters, a power of two;
  // both outlive this.
  DriverFeedback(uint32_t blocks, uint8_t* outcomes, size_t outcome_count, DriverLearnt* learnt)
      : blocks_(blocks), outcomes_(outcomes), outcome_mask_(outcome_count - 1), learnt_(*learnt) {}

  // A counter for each block, in the order of their numbers, from block 1.
  std::vector<uint8_t>* blocks() { return &blocks_; }

  void EnterBlock(uint32_t number) {
    if (number - 1 < blocks_.size()) ++blocks_[number - 1];
  }
  void Compare(const DriverOperation& operation, const Comparison& comparison) {
    LearnFromComparison(operation, comparison, &learnt_);
  }
  // What a request came to, as a number that is equal for what counts as the same.
  void NoteOutcome(uint64_t outcome) { outcomes_[Random(outcome).Next() & outcome_mask_] = 1; }
  void NoteRun(int driver_fibers, int allocations) { learnt_.AddRun(driver_fibers, allocations); }

 private:
  std::vector<uint8_t> blocks_;
  uint8_t* const outcomes_;
  const size_t outcome_mask_;
  DriverLearnt& learnt_;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_FEEDBACK_H_
