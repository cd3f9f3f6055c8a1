// Included before every source of the room under test: the compiler's hooks are called
// for loads and stores and not for read-modify-write instructions, so each of those
// announces itself. A macro is not expanded inside of itself: what is left is the
// compiler's own.
#ifndef CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_ATOMIC_POINTS_H_
#define CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_ATOMIC_POINTS_H_

#ifdef __cplusplus
extern "C"
#endif
    void
    CancelsafeAtomicPoint(const volatile void* address);

#define __atomic_exchange_n(object, value, order) \
  (CancelsafeAtomicPoint(object), __atomic_exchange_n(object, value, order))
#define __atomic_compare_exchange_n(object, expected, value, weak, order, failure) \
  (CancelsafeAtomicPoint(object),                                                  \
   __atomic_compare_exchange_n(object, expected, value, weak, order, failure))
#define __atomic_fetch_or(object, value, order) \
  (CancelsafeAtomicPoint(object), __atomic_fetch_or(object, value, order))
#define __atomic_fetch_and(object, value, order) \
  (CancelsafeAtomicPoint(object), __atomic_fetch_and(object, value, order))
#define __atomic_fetch_add(object, value, order) \
  (CancelsafeAtomicPoint(object), __atomic_fetch_add(object, value, order))
#define __atomic_add_fetch(object, value, order) \
  (CancelsafeAtomicPoint(object), __atomic_add_fetch(object, value, order))
#define __atomic_sub_fetch(object, value, order) \
  (CancelsafeAtomicPoint(object), __atomic_sub_fetch(object, value, order))

#endif  // CANCELSAFE_FUZZERS_MACHINE_ROOM_EXPLORED_ATOMIC_POINTS_H_
