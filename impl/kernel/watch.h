// Inside the machine room only: how its services watch their callers, and how
// they stay out of the sight of the sanitizers. Services report through KiReport
// and go on in the way that does least harm; nothing here knows a queue.
#ifndef CANCELSAFE_IMPL_KERNEL_WATCH_H_
#define CANCELSAFE_IMPL_KERNEL_WATCH_H_

#include "platform.h"

// A documented service: guests resolve it from the host executable. Everything
// else in this folder is hidden.
#define KI_SERVICE __attribute__((visibility("default")))

// 1 where the machine room itself is under test (fuzzers/machine_room): all of its
// accesses are seen, and the attributes below are nothing.
#ifndef CANCELSAFE_KERNEL_SEEN
#define CANCELSAFE_KERNEL_SEEN 0
#endif

// Book-keeping that is not under test. TSan still sees the atomics in such a
// function, which are what synchronises, but not its plain accesses; coverage
// feedback from it would only dilute that of the queues.
#if CANCELSAFE_KERNEL_SEEN
#define KI_QUIET
#else
#define KI_QUIET __attribute__((no_sanitize("thread", "coverage")))
#endif

// Clang 14, which AFL++ brings on Debian, lacks some of what is used below: an ASan
// that obeys the first attribute, and the inline form of memset.
#if __clang_major__ < 15
#define KI_NOT_INSTRUMENTED disable_sanitizer_instrumentation, no_sanitize("address")
#else
#define KI_NOT_INSTRUMENTED disable_sanitizer_instrumentation
#endif

// Not even a frame is announced: for services so small that it would cost more
// than they do. They contain no atomics.
#if CANCELSAFE_KERNEL_SEEN
#define KI_BARE
#else
#define KI_BARE __attribute__((KI_NOT_INSTRUMENTED))
#endif

// Not even atomics are seen, and no frame is announced: for accesses that stand
// for what the hardware or the I/O manager does behind a driver's back. Never
// inlined, since the caller's instrumentation would come along.
#if CANCELSAFE_KERNEL_SEEN
#define KI_UNSEEN __attribute__((noinline))
#else
#define KI_UNSEEN __attribute__((KI_NOT_INSTRUMENTED, noinline))
#endif

// To the memory engine a lock is an event, which orders more cheaply than the accesses to
// its word would; those are under test in fuzzers/machine_room, where they are seen.
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
#define KI_LOCK KI_UNSEEN
extern "C" void CancelsafeLockTouched(const volatile void* word, int writes);
extern "C" void CancelsafeLockNoted(const volatile void* word, unsigned parts, int writes);
extern "C" void CancelsafeTold(const volatile void* address, unsigned long size, int writes);
extern "C" void CancelsafeLockTaken(const volatile void* word);
extern "C" void CancelsafeLockGiven(const volatile void* word);
#else
#define KI_LOCK KI_QUIET
#endif

// The word is about to be read, or written: a place to switch at where every access is one.
static inline __attribute__((always_inline)) void KiLockTouched(const volatile void* word,
                                                                bool writes) {
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
  CancelsafeLockTouched(word, writes);
#else
  (void)word;
  (void)writes;
#endif
}
// The same without a preemption point, of some of a word's eight parts.
static inline __attribute__((always_inline)) void KiLockNoted(const volatile void* word,
                                                              unsigned parts, bool writes) {
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
  CancelsafeLockNoted(word, parts, writes);
#else
  (void)word;
  (void)parts;
  (void)writes;
#endif
}
// For a search of all schedules of a driver: memory that the machine room accesses unseen.
static inline __attribute__((always_inline)) void KiTold(const volatile void* address,
                                                         unsigned long size, bool writes) {
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
  CancelsafeTold(address, size, writes);
#else
  (void)address;
  (void)size;
  (void)writes;
#endif
}
// What was done before the word was given happens before what follows its taking.
static inline __attribute__((always_inline)) void KiLockTaken(const volatile void* word) {
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
  CancelsafeLockTaken(word);
#else
  (void)word;
#endif
}
static inline __attribute__((always_inline)) void KiLockGiven(const volatile void* word) {
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
  CancelsafeLockGiven(word);
#else
  (void)word;
#endif
}

// Benchmarks and products (CANCELSAFE_POINTS 0) pay neither for watching nor for
// preemption points.
inline constexpr bool kWatching = CANCELSAFE_POINTS != 0;

static inline __attribute__((always_inline)) void KiAnnounce(enum KiPoint kind,
                                                             const volatile void* object) {
  if (kWatching) ki_platform->point(kind, object);
}

// Not a call of memset: its interceptor would show TSan these bytes as accesses,
// at a cost, though no other processor can know of them yet.
template <size_t kBytes>
KI_BARE static inline __attribute__((always_inline)) void KiClear(void* start) {
#if __has_builtin(__builtin_memset_inline)
  __builtin_memset_inline(start, 0, kBytes);
#else
  __builtin_memset(start, 0, kBytes);
#endif
}

void KiReport(enum KiViolationKind kind, const char* routine, const volatile void* object);

// ---- spin_lock.cc ----

// Takes `lock` and records it with `irql_before`, the level to give it back with.
// The caller has raised the IRQL.
void KiTakeLock(struct KiProcessor* processor, PKSPIN_LOCK lock, KIRQL irql_before,
                const char* routine);
// Gives `lock` back by making `word`, which is most often the lock itself, free, and
// leaves the processor at the recorded level. Returns FALSE, having changed nothing,
// if the processor does not hold it. A `new_irql` other than the recorded one is
// reported and not obeyed.
BOOLEAN KiGiveLock(struct KiProcessor* processor, const volatile void* lock, PKSPIN_LOCK word,
                   KIRQL new_irql, const char* routine);

// Index of `lock` among the held ones, -1 if it is not held. O(held_count), and
// the last one taken is looked at first.
KI_QUIET static inline int KiFindHeld(const struct KiProcessor* processor,
                                      const volatile void* lock) {
  for (int i = processor->held_count - 1; i >= 0; --i) {
    if (processor->held[i].lock == lock) return i;
  }
  return -1;
}

KI_QUIET static inline void KiRecordHeld(struct KiProcessor* processor, const volatile void* lock,
                                         KIRQL irql_before, BOOLEAN is_mutex, const char* routine) {
  if (processor->held_count == kMaxHeldLocks) {
    KiReport(kHostLimit, routine, lock);
    return;
  }
  struct KiHeldLock* held = &processor->held[processor->held_count++];
  held->lock = lock;
  held->irql_before = irql_before;
  held->is_mutex = is_mutex;
}

KI_QUIET static inline void KiForgetHeld(struct KiProcessor* processor, int index) {
  const int last = --processor->held_count;
  for (int i = index; i < last; ++i) processor->held[i] = processor->held[i + 1];
}

void KiYieldProcessor(void);

// Waits a little for a lock that another processor holds: doubling pauses, and
// from the eighth round on the rest of the time slice, so that an owner that lost
// its processor can run (argued in spin.h). `*rounds` starts at 0.
KI_QUIET static inline void KiBackOff(unsigned* rounds) {
  if (*rounds < 7) {
    for (unsigned i = 0; i < 1u << *rounds; ++i) __builtin_ia32_pause();
    ++*rounds;
  } else {
    KiYieldProcessor();
  }
}

#endif  // CANCELSAFE_IMPL_KERNEL_WATCH_H_
