// The narrow interface through which the machine room meets whatever runs it:
// real threads (the default) or fibers under a scheduler. Also the form in
// which the machine room reports what it saw being done wrong. No queue and no
// IRP is known here.
#ifndef CANCELSAFE_IMPL_KERNEL_PLATFORM_H_
#define CANCELSAFE_IMPL_KERNEL_PLATFORM_H_

#include "wdm.h"

CANCELSAFE_BEGIN_C

// Why a virtual processor may be switched at this place.
enum KiPoint {
  kPointAcquire,        // before a lock is taken
  kPointRelease,        // after a lock was given back
  kPointInterlocked,    // before an interlocked operation
  kPointIrql,           // before the IRQL changes
  kPointCallbackEnter,  // on entry of a driver callback
  kPointCallbackExit,   // before a driver callback returns
  kPointAccess,         // access point: before a load or store of the implementation
  kPointYield,          // the caller waits for another processor, outside of any lock
  kPointCall,           // of the host: between two calls of a driver
};

enum { kMaxHeldLocks = 32 };

struct KiHeldLock {
  const volatile void* lock;
  KIRQL irql_before;  // IRQL in force when it was taken
  BOOLEAN is_mutex;
};

// How a processor holds the system cancel spin lock (cancel_lock.h). Non-zero: it does.
enum KiCancelLockForm { kKiCancelLockFree, kKiCancelLockWhole, kKiCancelLockShare };

// One virtual processor: what a thread or fiber of the test runs on. Only its
// own thread or fiber writes it.
struct KiProcessor {
  KIRQL irql;
  UCHAR held_count;
  UCHAR id;                // 0, 1, ...: the only identity that may enter a decision
  UCHAR cancel_lock_held;  // enum KiCancelLockForm
  struct KiHeldLock held[kMaxHeldLocks];
};

// What the machine room watches. Each has a name (KiViolationName) and the
// clause it rests on (KiViolationClause).
enum KiViolationKind {
  kIrqlTooHigh,          // routine called above the IRQL its page allows
  kIrqlNotDispatch,      // routine that wants DISPATCH_LEVEL called elsewhere
  kIrqlRaisedDownwards,  // KeRaiseIrql to a lower, or KeLowerIrql to a higher level
  kLockRecursion,        // lock taken twice by its owner
  kLockNotOwned,         // lock given back by a processor that does not hold it
  kLockWrongIrql,        // lock given back with an IRQL that is not the saved one
  kLockHeldAtReturn,     // cancel routine returned holding the cancel lock
  kCompletionUnderLock,  // IoCompleteRequest while holding a spin lock
  kDoubleCompletion,     // IoCompleteRequest twice for one IRP
  kUseAfterCompletion,   // a completed IRP was read or written
  kNotAnIrp,             // an IRP routine was given something that is not an IRP
  kHostLimit,            // not a fault: more locks, or other services, than the host has
};

struct KiViolation {
  enum KiViolationKind kind;
  const char* routine;          // documented routine that noticed
  const volatile void* object;  // for the debugger only: never in a decision
};

struct KiPlatform {
  // The processor of the calling thread or fiber. Never null.
  struct KiProcessor* (*processor)(void);
  // A place where another processor may run. May return later, never fails.
  void (*point)(enum KiPoint kind, const volatile void* object);
  // `object` is held by another processor. Returns when trying again may help.
  void (*block)(const volatile void* object);
  // `object` was released.
  void (*wake)(const volatile void* object);
  void (*violation)(const struct KiViolation* violation);
};

// Installs a platform; null installs the default (one processor per OS thread,
// violations printed and fatal). Call before any kernel service of a run.
void KiSetPlatform(const struct KiPlatform* platform);
const char* KiViolationName(enum KiViolationKind kind);
const char* KiViolationClause(enum KiViolationKind kind);

// For the machine room's own files.
extern const struct KiPlatform* ki_platform;

CANCELSAFE_END_C

#endif  // CANCELSAFE_IMPL_KERNEL_PLATFORM_H_
