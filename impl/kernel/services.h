// The kernel services that guests may import from the host. One list, so that a
// static library keeps all of them and a test can look each one up.
#ifndef CANCELSAFE_IMPL_KERNEL_SERVICES_H_
#define CANCELSAFE_IMPL_KERNEL_SERVICES_H_

#include "fltKernel.h"
#include "list_max.h"

// X(name)
#define CANCELSAFE_KERNEL_SERVICES(X)           \
  X(KeGetCurrentIrql)                           \
  X(KfRaiseIrql)                                \
  X(KeLowerIrql)                                \
  X(KeStallExecutionProcessor)                  \
  X(KeInitializeSpinLock)                       \
  X(KeAcquireSpinLockRaiseToDpc)                \
  X(KeReleaseSpinLock)                          \
  X(KeAcquireSpinLockAtDpcLevel)                \
  X(KeReleaseSpinLockFromDpcLevel)              \
  X(KfAcquireSpinLock)                          \
  X(KfReleaseSpinLock)                          \
  X(KefAcquireSpinLockAtDpcLevel)               \
  X(KefReleaseSpinLockFromDpcLevel)             \
  X(KfLowerIrql)                                \
  X(KeRaiseIrqlToDpcLevel)                      \
  X(KeRaiseIrqlToSynchLevel)                    \
  X(KeTryToAcquireSpinLockAtDpcLevel)           \
  X(KeTestSpinLock)                             \
  X(KeAcquireInStackQueuedSpinLock)             \
  X(KeReleaseInStackQueuedSpinLock)             \
  X(KeAcquireInStackQueuedSpinLockAtDpcLevel)   \
  X(KeReleaseInStackQueuedSpinLockFromDpcLevel) \
  X(KeEnterCriticalRegion)                      \
  X(KeLeaveCriticalRegion)                      \
  X(ExInitializeFastMutex)                      \
  X(ExAcquireFastMutex)                         \
  X(ExReleaseFastMutex)                         \
  X(ExTryToAcquireFastMutex)                    \
  X(ExAllocatePool)                             \
  X(ExAllocatePoolWithTag)                      \
  X(ExAllocatePoolWithQuotaTag)                 \
  X(ExAllocatePoolZero)                         \
  X(ExAllocatePoolUninitialized)                \
  X(ExAllocatePool2)                            \
  X(ExFreePool)                                 \
  X(ExFreePoolWithTag)                          \
  X(DbgPrint)                                   \
  X(DbgPrintEx)                                 \
  X(DbgBreakPoint)                              \
  X(RtlAssert)                                  \
  X(KeBugCheck)                                 \
  X(KeBugCheckEx)                               \
  X(IoAcquireCancelSpinLock)                    \
  X(IoReleaseCancelSpinLock)                    \
  X(IoAllocateIrp)                              \
  X(IoFreeIrp)                                  \
  X(IofCompleteRequest)                         \
  X(IoCancelIrp)                                \
  X(CancelsafeShareCancelLock)                  \
  X(CancelsafeDeviceQueueListMax)               \
  X(FltCompletePendedPreOperation)              \
  X(FltCancelIo)                                \
  X(FltSetCancelCompletion)                     \
  X(FltClearCancelCompletion)                   \
  X(CancelsafeIrpOfCallbackData)                \
  X(CancelsafeCallbackDataOfIrp)

// Addresses of the above and, where there are preemption points, of
// CancelsafeInterlockedPoint and CancelsafeYieldPoint.
extern const void* const ki_services[];

#endif  // CANCELSAFE_IMPL_KERNEL_SERVICES_H_
