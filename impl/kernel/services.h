// The kernel services that guests may import from the host. One list, so that a
// static library keeps all of them and a test can look each one up.
#ifndef CANCELSAFE_IMPL_KERNEL_SERVICES_H_
#define CANCELSAFE_IMPL_KERNEL_SERVICES_H_

#include "fltKernel.h"
#include "list_max.h"

// X(name)
#define CANCELSAFE_KERNEL_SERVICES(X) \
  X(KeGetCurrentIrql)                 \
  X(KfRaiseIrql)                      \
  X(KeLowerIrql)                      \
  X(KeStallExecutionProcessor)        \
  X(KeInitializeSpinLock)             \
  X(KeAcquireSpinLockRaiseToDpc)      \
  X(KeReleaseSpinLock)                \
  X(KeAcquireSpinLockAtDpcLevel)      \
  X(KeReleaseSpinLockFromDpcLevel)    \
  X(ExInitializeFastMutex)            \
  X(ExAcquireFastMutex)               \
  X(ExReleaseFastMutex)               \
  X(IoAcquireCancelSpinLock)          \
  X(IoReleaseCancelSpinLock)          \
  X(IoAllocateIrp)                    \
  X(IoFreeIrp)                        \
  X(IofCompleteRequest)               \
  X(IoCancelIrp)                      \
  X(CancelsafeShareCancelLock)        \
  X(CancelsafeDeviceQueueListMax)     \
  X(FltCompletePendedPreOperation)    \
  X(FltCancelIo)                      \
  X(FltSetCancelCompletion)           \
  X(FltClearCancelCompletion)         \
  X(CancelsafeIrpOfCallbackData)      \
  X(CancelsafeCallbackDataOfIrp)

// Addresses of the above and, where there are preemption points, of
// CancelsafeInterlockedPoint and CancelsafeYieldPoint.
extern const void* const ki_services[];

#endif  // CANCELSAFE_IMPL_KERNEL_SERVICES_H_
