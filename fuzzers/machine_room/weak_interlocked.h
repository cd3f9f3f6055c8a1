// The Interlocked routines that the sources use, one step weaker than documented: updates
// of acq_rel, and barriers to nothing else. For the copies that weaken.cmake makes. They
// announce no point: an announced one is a full barrier to the memory engine.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_WEAK_INTERLOCKED_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_WEAK_INTERLOCKED_H_

#include "wdm.h"

FORCEINLINE PVOID WeakInterlockedExchangePointer(PVOID volatile* target, PVOID value) {
  return __atomic_exchange_n(target, value, __ATOMIC_ACQ_REL);
}

FORCEINLINE PVOID WeakInterlockedCompareExchangePointer(PVOID volatile* destination, PVOID exchange,
                                                        PVOID comparand) {
  __atomic_compare_exchange_n(destination, &comparand, exchange, 0, __ATOMIC_ACQ_REL,
                              __ATOMIC_ACQUIRE);
  return comparand;
}

FORCEINLINE LONG WeakInterlockedCompareExchange(LONG volatile* destination, LONG exchange,
                                                LONG comparand) {
  __atomic_compare_exchange_n(destination, &comparand, exchange, 0, __ATOMIC_ACQ_REL,
                              __ATOMIC_ACQUIRE);
  return comparand;
}

FORCEINLINE LONG WeakInterlockedExchangeAdd(LONG volatile* addend, LONG value) {
  return __atomic_fetch_add(addend, value, __ATOMIC_ACQ_REL);
}

FORCEINLINE PDRIVER_CANCEL WeakIoSetCancelRoutine(PIRP irp, PDRIVER_CANCEL routine) {
  return (PDRIVER_CANCEL)(ULONG_PTR)WeakInterlockedExchangePointer(
      (PVOID volatile*)&irp->CancelRoutine, (PVOID)(ULONG_PTR)routine);
}

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_WEAK_INTERLOCKED_H_
