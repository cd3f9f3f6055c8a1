// Inside the machine room, and for its own tests: who may still touch an IRP. Completion and
// cancellation meet here and decide, exactly once, who retires its memory.
#ifndef CANCELSAFE_IMPL_KERNEL_IRP_LIFE_H_
#define CANCELSAFE_IMPL_KERNEL_IRP_LIFE_H_

#include "irp.h"

CANCELSAFE_BEGIN_C

// The header of an IRP that `routine` was given, or null after reporting that it
// is not one, or is retired already.
struct KiIrpHeader* KiCheckIrp(PIRP irp, const char* routine);

// IoCompleteRequest begins (FALSE: it had been called before, and nothing was
// changed), gives the IRP back to the driver for more processing, and ends.
BOOLEAN KiBeginCompletion(struct KiIrpHeader* header);
void KiSuspendCompletion(struct KiIrpHeader* header);
void KiEndCompletion(PIRP irp, struct KiIrpHeader* header);
BOOLEAN KiCompletionBegun(const struct KiIrpHeader* header);

// IoCancelIrp begins and ends touching the IRP. KiEndCancel retires an IRP whose
// completion ended in between.
void KiBeginCancel(struct KiIrpHeader* header);
void KiEndCancel(PIRP irp, struct KiIrpHeader* header);

CANCELSAFE_END_C

#endif  // CANCELSAFE_IMPL_KERNEL_IRP_LIFE_H_
