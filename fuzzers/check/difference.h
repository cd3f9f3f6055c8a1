// Where a run with a mistake departs from one of the same program in which the routine that has
// it is exchanged: the first thing that becomes of shared memory, or the first call, that is not
// as it is there. Pure functions of two lists of effects.
#ifndef CANCELSAFE_FUZZERS_CHECK_DIFFERENCE_H_
#define CANCELSAFE_FUZZERS_CHECK_DIFFERENCE_H_

#include <cstdint>
#include <vector>

namespace cancelsafe {

struct EffectList;

struct Difference {
  enum Kind {
    kNone,
    kOther,    // something else is stored there
    kCalled,   // something else is called there
    kMissing,  // something is not done: between two places
    kReturned  // nothing else but what is returned: the last that was stored before
  };

  Kind kind = kNone;
  // Behind the begin of the code. The frames of that place, innermost first.
  std::vector<uint64_t> places;
  // Of kMissing: what is done next, innermost first; may be empty.
  std::vector<uint64_t> next;
  // The comparison that was made last before it; 0 for none.
  uint64_t compared = 0;
  // Where it was before it entered the block that it is in, of kMissing that of what is done next;
  // 0 if that is not known.
  uint64_t entered = 0;
  // Of kMissing: the block that was entered last before what is done next.
  uint64_t block = 0;
};

// The first ones, in the order in which they come about; where memory differs already, it is not
// told again. `wrong`: of the run with the mistake. O(n log n).
std::vector<Difference> DifferencesOf(const EffectList& wrong, const EffectList& right);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_DIFFERENCE_H_
