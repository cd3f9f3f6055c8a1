// What the snapshot of every queue callback must look like, whatever the run: shared by
// the rules and by the quick look. What needs memory of earlier events is not here.
#ifndef CANCELSAFE_ORACLE_DEMANDS_H_
#define CANCELSAFE_ORACLE_DEMANDS_H_

#include <cstdint>

#include "oracle/operations.h"

namespace cancelsafe {

// Of the bits in `care`, exactly those in `want` must be set.
struct Demand {
  uint16_t care;
  uint16_t want;
};

inline constexpr uint16_t kAround = kCancelLockHeld | kRightQueue;
inline constexpr uint16_t kItemState = kCanariesIntact | kKnownItem;
// In the order of CallbackKind, queue callbacks only.
inline constexpr Demand kDemands[] = {
    /*kAcquire=*/{kAround, kRightQueue},
    /*kInsert=*/
    {kAround | kItemState | kQueueLockHeld | kCancelRoutineSet | kTokenMatches,
     kRightQueue | kItemState | kQueueLockHeld | kTokenMatches},
    /*kPeek=*/
    {kAround | kKnownItem | kLinked | kQueueLockHeld | kTokenMatches,
     kRightQueue | kKnownItem | kLinked | kQueueLockHeld | kTokenMatches},
    /*kRemove=*/
    {kAround | kItemState | kQueueLockHeld | kCancelRoutineSet | kLinked,
     kRightQueue | kItemState | kQueueLockHeld | kLinked},
    /*kRelease=*/{kAround | kTokenMatches, kRightQueue | kTokenMatches},
    /*kCompleteCanceled=*/{kAround | kItemState | kQueueLockHeld, kRightQueue | kItemState},
};

// Of what a snapshot says of the IRP's own fields, the bits that some rule looks at in an
// event of this kind.
constexpr uint16_t JudgedOfIrp(CallbackKind kind) {
  switch (kind) {
    case CallbackKind::kInsert:
    case CallbackKind::kRemove:
    case CallbackKind::kStartIo:
      return kPendingMarked | kCancelRoutineSet;
    case CallbackKind::kRelease:
      return kPendingMarked | kCancelRoutineSet | kCancelFlagSet;
    default:
      return kPendingMarked;
  }
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_DEMANDS_H_
