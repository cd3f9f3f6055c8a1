// The part of a family's row (oracle/family.h) that cancel-safe queues and callback data
// queues share: how endings are read from queue callbacks, and the words for the model's
// abstract states.
#ifndef CANCELSAFE_ORACLE_CSQ_ENDINGS_H_
#define CANCELSAFE_ORACLE_CSQ_ENDINGS_H_

#include "oracle/facet_check.h"
#include "oracle/family.h"

namespace cancelsafe {

// O(events + calls).
void AddQueueEndings(const History& history, Account* account);

// The bits of CsqModel::Abstract.
inline constexpr Facet kQueueFacets[] = {
    {1 << 8, "disabled", ""},
    {1 << 2, "an unfinished one is cancelled", ""},
    {1 << 3, "some have a context", ""},
    {1 << 4, "some have none", ""},
    {1 << 5, "", "keys not ascending"},
    {1 << 6, "equal keys", ""},
    {1 << 7, "after the insert callback's fault", ""},
    {1 << 9, "after an ending", ""},
};
static_assert(LargestAbstractState(kQueueFacets) < kAbstractStates);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_CSQ_ENDINGS_H_
