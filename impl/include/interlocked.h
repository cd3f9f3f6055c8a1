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

/* The operations on integers of one width, whose names end in `Suffix`. */
#define CANCELSAFE_INTERLOCKED(Type, Suffix)                                                     \
  FORCEINLINE Type InterlockedExchange##Suffix(Type volatile *Target, Type Value) {              \
    CancelsafeInterlockedPoint(Target);                                                          \
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);                                 \
  }                                                                                              \
  FORCEINLINE Type InterlockedCompareExchange##Suffix(Type volatile *Destination, Type Exchange, \
                                                      Type Comparand) {                          \
    CancelsafeInterlockedPoint(Destination);                                                     \
    __atomic_compare_exchange_n(Destination, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST,          \
                                __ATOMIC_SEQ_CST);                                               \
    return Comparand;                                                                            \
  }                                                                                              \
  FORCEINLINE Type InterlockedExchangeAdd##Suffix(Type volatile *Addend, Type Value) {           \
    CancelsafeInterlockedPoint(Addend);                                                          \
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);                                  \
  }                                                                                              \
  FORCEINLINE Type InterlockedAdd##Suffix(Type volatile *Addend, Type Value) {                   \
    CancelsafeInterlockedPoint(Addend);                                                          \
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);                                  \
  }                                                                                              \
  FORCEINLINE Type InterlockedIncrement##Suffix(Type volatile *Addend) {                         \
    return InterlockedAdd##Suffix(Addend, 1);                                                    \
  }                                                                                              \
  FORCEINLINE Type InterlockedDecrement##Suffix(Type volatile *Addend) {                         \
    return InterlockedAdd##Suffix(Addend, -1);                                                   \
  }                                                                                              \
  FORCEINLINE Type InterlockedOr##Suffix(Type volatile *Destination, Type Value) {               \
    CancelsafeInterlockedPoint(Destination);                                                     \
    return __atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);                              \
  }                                                                                              \
  FORCEINLINE Type InterlockedAnd##Suffix(Type volatile *Destination, Type Value) {              \
    CancelsafeInterlockedPoint(Destination);                                                     \
    return __atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);                             \
  }                                                                                              \
  FORCEINLINE Type InterlockedXor##Suffix(Type volatile *Destination, Type Value) {              \
    CancelsafeInterlockedPoint(Destination);                                                     \
    return __atomic_fetch_xor(Destination, Value, __ATOMIC_SEQ_CST);                             \
  }
CANCELSAFE_INTERLOCKED(LONG, )
CANCELSAFE_INTERLOCKED(LONG64, 64)
CANCELSAFE_INTERLOCKED(SHORT, 16)
#undef CANCELSAFE_INTERLOCKED

/* The bit as it was. */
FORCEINLINE BOOLEAN InterlockedBitTestAndSet(LONG volatile *Base, LONG Bit) {
  const LONG mask = (LONG)(1u << (Bit & 31));
  return (BOOLEAN)((InterlockedOr(Base + Bit / 32, mask) & mask) != 0);
}

FORCEINLINE BOOLEAN InterlockedBitTestAndReset(LONG volatile *Base, LONG Bit) {
  const LONG mask = (LONG)(1u << (Bit & 31));
  return (BOOLEAN)((InterlockedAnd(Base + Bit / 32, ~mask) & mask) != 0);
}

/* Orders what is before it before what is after it. No place to switch at: the accesses
 * around it are. TSan does not follow it; the memory engine does. */
FORCEINLINE VOID KeMemoryBarrier(VOID) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
FORCEINLINE VOID KeMemoryBarrierWithoutFence(VOID) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
#define MemoryBarrier() KeMemoryBarrier()
#define _ReadWriteBarrier() KeMemoryBarrierWithoutFence()

/* Single loads and stores with the order in their names. */
#define CANCELSAFE_ORDERED(Type, Name)                                            \
  FORCEINLINE Type Read##Name##NoFence(Type const volatile *Source) {             \
    return __atomic_load_n(Source, __ATOMIC_RELAXED);                             \
  }                                                                               \
  FORCEINLINE Type Read##Name##Acquire(Type const volatile *Source) {             \
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);                             \
  }                                                                               \
  FORCEINLINE VOID Write##Name##NoFence(Type volatile *Destination, Type Value) { \
    __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                       \
  }                                                                               \
  FORCEINLINE VOID Write##Name##Release(Type volatile *Destination, Type Value) { \
    __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);                       \
  }
CANCELSAFE_ORDERED(LONG, )
CANCELSAFE_ORDERED(ULONG, ULong)
CANCELSAFE_ORDERED(LONG64, 64)
CANCELSAFE_ORDERED(BOOLEAN, Boolean)
CANCELSAFE_ORDERED(PVOID, Pointer)
#undef CANCELSAFE_ORDERED

#endif /* CANCELSAFE_INTERLOCKED_H_ */
