// The Interlocked* operations, and the one place where a preemption point is
// announced before each of them. Everything is a full barrier, as documented. Also
// here: what a host provides for preemption points.
#ifndef CANCELSAFE_INTERLOCKED_H_
#define CANCELSAFE_INTERLOCKED_H_

#include "ntdef.h"

/* With 0 the operations are bare instructions: benchmarks and products. With 1
 * the host may switch the virtual processor before each one. */
#ifndef CANCELSAFE_POINTS
#define CANCELSAFE_POINTS 1
#endif

#if CANCELSAFE_POINTS
CANCELSAFE_BEGIN_C
/* Provided by the host. Called before an interlocked operation on `object`. */
VOID CancelsafeInterlockedPoint(const volatile VOID *object);
/* Provided by the host. Called by a processor that waits for another one. */
VOID CancelsafeYieldPoint(VOID);
CANCELSAFE_END_C
#else
#define CancelsafeInterlockedPoint(object) ((void)0)
#define CancelsafeYieldPoint() ((void)0)
#endif

FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile *Target, PVOID Value) {
  CancelsafeInterlockedPoint(Target);
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE PVOID InterlockedCompareExchangePointer(PVOID volatile *Destination, PVOID Exchange,
                                                    PVOID Comparand) {
  CancelsafeInterlockedPoint(Destination);
  __atomic_compare_exchange_n(Destination, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
  return Comparand;
}

FORCEINLINE LONG InterlockedExchange(LONG volatile *Target, LONG Value) {
  CancelsafeInterlockedPoint(Target);
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedCompareExchange(LONG volatile *Destination, LONG Exchange,
                                            LONG Comparand) {
  CancelsafeInterlockedPoint(Destination);
  __atomic_compare_exchange_n(Destination, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
  return Comparand;
}

FORCEINLINE LONG InterlockedExchangeAdd(LONG volatile *Addend, LONG Value) {
  CancelsafeInterlockedPoint(Addend);
  return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedIncrement(LONG volatile *Addend) {
  return InterlockedExchangeAdd(Addend, 1) + 1;
}

FORCEINLINE LONG InterlockedDecrement(LONG volatile *Addend) {
  return InterlockedExchangeAdd(Addend, -1) - 1;
}

FORCEINLINE LONG InterlockedOr(LONG volatile *Destination, LONG Value) {
  CancelsafeInterlockedPoint(Destination);
  return __atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedAnd(LONG volatile *Destination, LONG Value) {
  CancelsafeInterlockedPoint(Destination);
  return __atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);
}

#endif /* CANCELSAFE_INTERLOCKED_H_ */
