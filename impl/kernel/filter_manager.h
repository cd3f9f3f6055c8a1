// Callback data in host storage: what the filter manager keeps beside each
// FLT_CALLBACK_DATA. Not seen by implementations.
#ifndef CANCELSAFE_IMPL_KERNEL_FILTER_MANAGER_H_
#define CANCELSAFE_IMPL_KERNEL_FILTER_MANAGER_H_

#include "fltKernel.h"
#include "irp.h"

CANCELSAFE_BEGIN_C

// Callback data is found in here by address, so it is never moved or copied.
struct KiCallbackData {
  PIRP irp;  // null for an operation that is not IRP-based
  PFLT_COMPLETE_CANCELED_CALLBACK canceled;
  FLT_IO_PARAMETER_BLOCK parameters;
  FLT_CALLBACK_DATA data;
};

// Makes callback data for `irp` in `storage` (8-byte aligned, sizeof(struct
// KiCallbackData) long, not poisoned) and enters it in the IRP's header; it is
// retired together with the IRP. A null `irp` makes a fast I/O operation, which
// has no IRP. O(1).
PFLT_CALLBACK_DATA KiPlaceCallbackData(void* storage, PIRP irp, PFLT_INSTANCE instance);

CANCELSAFE_END_C

#endif  // CANCELSAFE_IMPL_KERNEL_FILTER_MANAGER_H_
