// The default platform, one virtual processor per OS thread, and the names of
// what the machine room watches. Fibers bring a platform of their own.
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "services.h"
#include "watch.h"

namespace {

thread_local KiProcessor this_processor;
thread_local bool this_processor_numbered = false;
unsigned next_processor_id = 0;

KI_QUIET KiProcessor* ThreadProcessor() {
  if (!this_processor_numbered) {
    this_processor_numbered = true;
    this_processor.id =
        static_cast<UCHAR>(__atomic_fetch_add(&next_processor_id, 1, __ATOMIC_RELAXED));
  }
  return &this_processor;
}

void YieldOnly(KiPoint kind, const volatile void*) {
  if (kind == kPointYield) KiYieldProcessor();
}

// The platform is told of one failed attempt at a time, so the length of the wait
// is remembered by the thread that waits, until it has held the lock and gives it
// back.
thread_local const volatile void* awaited = nullptr;
thread_local unsigned rounds = 0;

KI_QUIET void BackOff(const volatile void* object) {
  if (object != awaited) {
    awaited = object;
    rounds = 0;
  }
  KiBackOff(&rounds);
}

KI_QUIET void ForgetWait(const volatile void*) { rounds = 0; }

KI_QUIET void Abort(const KiViolation* violation) {
  fprintf(stderr, "kernel violation %s (%s) in %s\n", KiViolationName(violation->kind),
          KiViolationClause(violation->kind), violation->routine);
  abort();
}

const KiPlatform thread_platform = {&ThreadProcessor, &YieldOnly, &BackOff, &ForgetWait, &Abort};

struct Rule {
  const char* name;
  const char* clause;
};

// In the order of KiViolationKind. The clause is the one that says what a caller
// owes; a routine's own page may say it again.
const Rule rules[] = {
    {"irql-too-high", "IRP-CSL-03"},
    {"irql-not-dispatch", "IRP-CSL-03"},
    {"irql-raised-downwards", "CSQ-INV-10"},
    {"lock-recursion", "IRP-CSL-06"},
    {"lock-not-owned", "CSQ-CB-04"},
    {"lock-wrong-irql", "CSQ-CB-06"},
    {"lock-held-at-return", "IRP-CSL-06"},
    {"completion-under-lock", "IRP-COMP-01"},
    {"double-completion", "IRP-COMP-02"},
    {"use-after-completion", "CSQ-INSERT-23"},
    {"not-an-irp", "CSQ-CB-17"},
    {"host-limit", ""},
};
static_assert(sizeof(rules) / sizeof(rules[0]) == kHostLimit + 1, "one rule for each kind");

// A host that links this file links every service, though only guests call them.
__attribute__((used)) const void* const* const keep_services = ki_services;

}  // namespace

const KiPlatform* ki_platform = &thread_platform;

void KiSetPlatform(const KiPlatform* platform) {
  ki_platform = platform != nullptr ? platform : &thread_platform;
}

const char* KiViolationName(KiViolationKind kind) { return rules[kind].name; }
const char* KiViolationClause(KiViolationKind kind) { return rules[kind].clause; }

void KiYieldProcessor(void) { sched_yield(); }

KI_QUIET void KiReport(KiViolationKind kind, const char* routine, const volatile void* object) {
  if (!kWatching) return;
  const KiViolation violation = {kind, routine, object};
  ki_platform->violation(&violation);
}

#if CANCELSAFE_POINTS
extern "C" KI_SERVICE KI_BARE VOID CancelsafeInterlockedPoint(const volatile VOID* object) {
  ki_platform->point(kPointInterlocked, object);
}

extern "C" KI_SERVICE KI_BARE VOID CancelsafeYieldPoint(VOID) {
  ki_platform->point(kPointYield, nullptr);
}
#endif

// There is no clock here: the time is ignored, and another processor gets to run.
extern "C" KI_SERVICE KI_BARE VOID KeStallExecutionProcessor(ULONG MicroSeconds) {
  UNREFERENCED_PARAMETER(MicroSeconds);
  if (kWatching) {
    ki_platform->point(kPointYield, nullptr);
  } else {
    KiYieldProcessor();
  }
}
