// The engine of this process as what a run meets: which memory is watched, where a run
// and its fibers begin and end, what the harness orders by itself. The compiler's calls
// (hooks_*.cc) act on the same engine, as the fiber that runs now.
//
// Only the model flavour has the hooks; elsewhere none of this is to be called, which
// kHooked says at compile time.
#ifndef CANCELSAFE_FUZZERS_MEMORY_RUNTIME_H_
#define CANCELSAFE_FUZZERS_MEMORY_RUNTIME_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/memory/engine.h"

namespace cancelsafe::memory {

#ifdef CANCELSAFE_SANITIZER_MODEL
inline constexpr bool kHooked = true;
#else
inline constexpr bool kHooked = false;
#endif

// The process's one. Never destroyed.
Engine& TheEngine();

// ---- what is watched ----

// Memory that fibers share. The variables of instrumented modules are watched by
// themselves, from the first run after they were loaded.
void WatchMemory(void* begin, size_t bytes);
void UnwatchMemory(void* begin);
// Whole words, which must be watched.
void SetState(const void* begin, size_t bytes, State state);
// Likewise live, and as new: memory that is used again, after its last object has ended.
void NewObjects(const void* begin, size_t bytes);
// The stores of the fiber that runs now have reached memory: before the harness writes to
// memory, past the engine, what the fiber does there.
void DrainStores();
// The object that lay here has ended, as kFreed or kCompleted: from now on no access is
// right, and one that is not ordered before this races with it, as with a write at `site`
// (0: whatever ended it has ordered them by means of its own).
// Remembers by whom, with the callers as far as frame pointers lead. Whole words.
void EndObject(const void* begin, size_t bytes, State state, uintptr_t site);

// The code of a fiber at some moment, innermost first; 0 behind the last.
struct CallStack {
  static constexpr int kFrames = 8;
  uintptr_t frame[kFrames] = {};
};
// What ended an object of this run.
struct Ending {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  State state = State::kLive;
  int fiber = 0;
  CallStack stack;
};
// Of the object that lay at `address` last, or null if none has ended, or too many have
// ended since. O(kept endings).
const Ending* FindEnding(uintptr_t address);
// Of the fiber that made the run's first bad access.
const CallStack& BadAccessStack();

// ---- a run, on the main context ----

struct RunSetup {
  Chooser* chooser = nullptr;
  // Kind of the preemption point (executor.h) before each access, 0 for none.
  uint8_t access_point = 0;
  // Without such points: accesses are told to a scheduler that sees all points, and with them
  // those of the machine room that are not under test (CancelsafeTold).
  bool tells = false;
};
// Forgets the last run. What the main context does from here on, it does as fiber 0.
void BeginRun(const RunSetup& setup);
// All that happened so far happens before what the fibers do, and all that they did
// before what follows EndFibers.
void BeginFibers();
void EndFibers();
// Until the next run, accesses are not looked at.
void EndRun();

namespace internal {
extern Engine* engine;        // TheEngine, from the first run on
extern bool active;           // within a run
extern bool in_passing;       // and no access is a point
extern uint8_t access_point;  // RunSetup's; kTellsOnly
inline constexpr uint8_t kTellsOnly = 0xff;
inline bool HasPoints() { return access_point != 0 && access_point != kTellsOnly; }
extern uint8_t full_barrier;  // bit f: after BeginInterlocked of fiber f
}  // namespace internal

// ---- on a fiber ----

// To be called before the fiber waits for something that it has just seen: true if what
// it saw may be old, and it must look again. It sees the newest values from now on.
bool LookAgain();
// The fiber's stores reach memory.
void EndFiber();
// Around what a history records as one call. A history says of two calls whether one had
// returned before the other began, and judges by it: so values are ordered by it, as if
// the caller had looked at a clock. Accesses are not.
void BeginCall();
void EndCall();
// The next update of this fiber is a documented Interlocked routine: a full barrier.
void BeginInterlocked();
// Orders by something that is not an access; tokens are addresses.
void AcquireToken(const void* token);
void ReleaseToken(const void* token);
// A lock's word was exchanged; is about to be stored to. A store buffer is emptied by the
// first, and not by the second.
void TakeLock(const volatile void* word);
void GiveLock(const volatile void* word);
// A relaxed store of the machine room's that plain reads do not race with: what drivers
// may read without a lock, by the documentation.
void StoreDocumented(volatile void* address, int size, uint64_t value, uintptr_t site);

// What the fiber would read there by alternative 0 (Engine::Look): for the harness, which
// looks at memory without being one of those who access it. Memory itself outside a run, and
// where there are no hooks.
uint64_t LookAt(const volatile void* address, int size);
template <typename T>
T Look(const volatile T& object) {
  // NOLINTNEXTLINE(bugprone-sizeof-expression): of a pointer, it is its own size that is wanted.
  constexpr int kBytes = static_cast<int>(sizeof(T));
  static_assert(kBytes <= 8);
  if (!kHooked || !internal::active) return object;
  const uint64_t value = LookAt(&object, kBytes);
  T result;
  __builtin_memcpy(&result, &value, kBytes);
  return result;
}

// ---- feedback ----

// The counter at hash(site that wrote, site that reads) becomes 1 where a fiber reads what
// another one wrote. `size` is a power of two; null for none. To be set anew when a
// module was unloaded.
void SetReadsFromCoverage(uint8_t* counters, uint32_t size);

// ---- for the hooks ----

// The preemption point before an access, where accesses are points, and what a complete
// search has to know of it.
void PointAndTell(const volatile void* address, size_t size, bool write, uintptr_t site);
// For who makes preemption points before accesses by itself: stores that leave the buffer of the
// fiber before what it does next. By alternative 0 none.
void FlushSome(uintptr_t site);
// A seq_cst operation: where values may be old, the order of all of them matters.
void TellSeqCst();
// A fence that the code under test makes, or a routine of it that is one.
void Fence(Order order, uintptr_t site);

void NoteReadsFrom(const ReadsFrom& read, int reader, uint32_t site);
// An instrumented module was loaded; `site` lies in it.
void NoteModule(uintptr_t site);
// Whether the code lies in an instrumented module, whose accesses are seen.
bool IsInstrumented(uintptr_t code);

// The run's first bad access was made by the caller: keeps its stack.
void NoteBadAccess();

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_RUNTIME_H_
