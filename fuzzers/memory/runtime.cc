// The engine of the process, the beginning and the end of a run, and accesses that the hooks
// tell of; see runtime.h.
#include "fuzzers/memory/runtime.h"

#include <new>

#include "fuzzers/memory/modules.h"
#include "fuzzers/memory/runtime_state.h"
#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/interleaving_coverage.h"

namespace cancelsafe::memory {

namespace internal {
Engine* engine = nullptr;
bool active = false;
bool in_passing = false;
uint8_t access_point = 0;
uint8_t full_barrier = 0;
RuntimeState run_state;
}  // namespace internal

using internal::Fiber;
using internal::PointToFlush;
using internal::run_state;

namespace {

schedule::InterleavingCoverage coverage;

// Sites are few, and looked at often.
uint64_t PlaceOf(uint32_t site) {
  struct Known {
    uint32_t site;
    uint64_t place;
  };
  static Known known[1024];
  Known& entry = known[site * 0x9E3779B1u >> 22];
  if (entry.site != site) entry = {site, coverage.Place(AddressOf(site))};
  return entry.place;
}

// What a complete search has to know of a store that reaches memory.
void TellFlush(const Location& location) {
  schedule::Executor::Get().TouchMemory(location.address(), static_cast<size_t>(location.size()),
                                        true);
}

}  // namespace

Engine& TheEngine() {
  alignas(Engine) static char storage[sizeof(Engine)];
  static Engine* const engine = new (storage) Engine(Model::kRc11);
  return *engine;
}

void BeginRun(const RunSetup& setup) {
  internal::WatchNewModules();
  Engine& engine = TheEngine();
  engine.NewRun();
  // The main context makes and looks at things as if it were alone, which it is.
  engine.SetChooser(nullptr);
  engine.SetFlushWatcher(&TellFlush);
  run_state.chooser = setup.chooser;
  internal::access_point =
      setup.access_point == 0 && setup.tells ? internal::kTellsOnly : setup.access_point;
  internal::engine = &engine;
  internal::full_barrier = 0;
  internal::active = true;
  internal::in_passing = internal::access_point == 0;
  ++run_state.run;
  run_state.returned = Clock();
  for (int& count : run_state.caught_up) count = 0;
  internal::ForgetEndings();
}

void BeginFibers() {
  TheEngine().machine().HappensBeforeAll(0);
  TheEngine().SetChooser(run_state.chooser);
}

void EndFibers() {
  TheEngine().SetChooser(nullptr);
  Machine& machine = TheEngine().machine();
  for (int f = 0; f < kMaxFibers; ++f) {
    while (machine.HasBuffered(f)) machine.Flush(f);
  }
  machine.JoinAll(0);
  machine.CatchUp(0);
}

void EndRun() { internal::active = internal::in_passing = false; }

// Each in a step of its own, where accesses are points.
void FlushSome(uintptr_t site) {
  Engine& engine = TheEngine();
  const int fiber = Fiber();
  while (engine.ChoosesToFlush(fiber, static_cast<uint32_t>(site))) {
    PointToFlush(site);
    if (engine.machine().HasBuffered(fiber)) engine.machine().Flush(fiber);
  }
}

void PointAndTell(const volatile void* address, size_t size, bool write, uintptr_t site) {
  schedule::Executor& executor = schedule::Executor::Get();
  if (internal::HasPoints()) {
    FlushSome(site);
    executor.Point(internal::access_point, address, site);
  }
  executor.TouchMemory(address, size, write);
}

void TellSeqCst() {
  static char order;
  if (TheEngine().model() == Model::kRc11) schedule::Executor::Get().Touch(&order, true);
}

void Fence(Order order, uintptr_t site) {
  if (!internal::active) return;
  const bool is_sc = order == Order::kSeqCst;
  // What it orders may happen before it and after it; it is not an access.
  if (is_sc && internal::HasPoints() && TheEngine().model() != Model::kSc) {
    FlushSome(site);
    schedule::Executor::Get().Point(internal::access_point, nullptr, site);
  }
  if (is_sc) TellSeqCst();
  TheEngine().Fence(Fiber(), order);
}

void StoreDocumented(volatile void* address, int size, uint64_t value, uintptr_t site) {
  if (internal::active && internal::access_point != 0) {
    PointAndTell(address, static_cast<size_t>(size), true, site);
  }
  TheEngine().StoreWithoutRace(Fiber(), address, size, value, static_cast<uint32_t>(site));
}

uint64_t LookAt(const volatile void* address, int size) {
  return TheEngine().Look(Fiber(), address, size);
}

void SetReadsFromCoverage(uint8_t* counters, uint32_t size) { coverage.Set(counters, size); }

void NoteReadsFrom(const ReadsFrom& read, int reader, uint32_t site) {
  if (!coverage.on() || read.writer == reader || read.writer == kNoFiber) return;
  constexpr uint16_t kNoObject = UINT16_MAX;  // apart from switches in the same counters
  coverage.Count(PlaceOf(read.site), PlaceOf(site), kNoObject);
}

}  // namespace cancelsafe::memory
