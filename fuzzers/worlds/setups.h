// The queues and drivers of a scope: every setup that differs from the plain one in few
// settings. Knows settings, and no operations.
#ifndef CANCELSAFE_FUZZERS_WORLDS_SETUPS_H_
#define CANCELSAFE_FUZZERS_WORLDS_SETUPS_H_

#include <vector>

#include "fuzzers/worlds/scope.h"

namespace cancelsafe {

struct WorldSetup {
  Setup setup;
  // At which IRQL all calls are made.
  uint8_t irql = 0;
  // In how many settings it differs (Differences).
  int differences = 0;
};

// In how many settings this differs from the family's plain queue. One that another of
// them needs in order to mean anything (`ex` for `failing-insert`) does not count: it is
// the other one that is tried. A raised IRQL counts as one.
int Differences(const Setup& setup, int irql);

// Whether a setting is tried at all; what is fixed, and why, is said in the README.
bool IsTried(const char* setting);

// Whether items with odd numbers are of another kind than those with even ones.
bool ParityCounts(const Setup& setup);

// All setups of the scope's family with at most scope.settings differences, fewest first,
// then in the order of the setup table. `reentry_item` and `start_key` are 0: which item
// and which key they are is a matter of names, which go with the operations'.
// The ordinal of a failing or cancelling insert is at most `inserts`.
std::vector<WorldSetup> SetupsWithin(const Scope& scope, int inserts);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_SETUPS_H_
