// Which worlds are worth a run: those that no smaller world stands for. A setting that
// nothing in the world can notice, and a call that the driver would leave out whatever
// the schedule, are reasons to leave a world out; each is said in worth.cc with its
// argument. Renaming is not looked at here, and the answer does not depend on names.
#ifndef CANCELSAFE_FUZZERS_WORLDS_WORTH_H_
#define CANCELSAFE_FUZZERS_WORLDS_WORTH_H_

#include "fuzzers/worlds/world.h"

namespace cancelsafe {

// Null, or why the world is left out: it does the same as one with fewer settings that
// differ from the plain queue's. O(calls).
const char* WhySettingsLeftOut(const World& world);

// Null, or why it is left out: a call of it is skipped by the driver under every schedule,
// or cannot be noticed by the library. O(calls^2).
const char* WhyCallsLeftOut(const World& world);

inline bool IsLeftOut(const World& world) {
  return WhySettingsLeftOut(world) != nullptr || WhyCallsLeftOut(world) != nullptr;
}

// Whether the driver looks at the caller's IRQL of the operation.
bool UsesIrql(Family family, Op op);

// Whether the operation calls the implementation under test, or only the machine room.
bool CallsLibrary(Op op);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_WORTH_H_
