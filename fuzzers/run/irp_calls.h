// The operations on IRPs that are the same whatever queue they wait in: calls of
// the I/O manager, recorded.
#ifndef CANCELSAFE_FUZZERS_RUN_IRP_CALLS_H_
#define CANCELSAFE_FUZZERS_RUN_IRP_CALLS_H_

#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/item_table.h"

namespace cancelsafe {

// kCancel at the current IRQL, which must not change between the look at the IRP
// and the call.
Skip CancelIrp(const Operation& operation, ItemTable* items, Recorder* recorder);

// kHoldCancelLock: takes the cancel lock and gives it back.
void HoldCancelLock(const Operation& operation, Recorder* recorder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_IRP_CALLS_H_
