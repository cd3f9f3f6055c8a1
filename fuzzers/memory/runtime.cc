// See runtime.h.
#include "fuzzers/memory/runtime.h"

#include <new>

#include "fuzzers/memory/modules.h"
#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/interleaving_coverage.h"

namespace cancelsafe::memory {

namespace internal {
Engine* engine = nullptr;
bool active = false;
uint8_t access_point = 0;
uint8_t full_barrier = 0;
}  // namespace internal

namespace {

// Modules that have called __tsan_init and whose variables are not watched yet. They come
// before any constructor of ours, so this is all that can be done with them then.
constexpr int kMaxModules = 12;
uintptr_t new_modules[64];
int new_module_count = 0;

struct WatchedModule {
  uintptr_t load_address;
  void* data;
};
WatchedModule watched[kMaxModules];
int watched_count = 0;

// What the harness orders by tokens, in this run: open addressing, by address.
constexpr uint32_t kTokens = 1024;
struct TokenEntry {
  const void* token;
  uint32_t run;
  Knowledge knowledge;
};
TokenEntry tokens[kTokens];

struct RuntimeState {
  uint32_t run = 0;
  Chooser* chooser = nullptr;  // of what the fibers do
  Clock returned;              // what calls that have returned had seen
  // Deviations of the run that each fiber has caught up with.
  int caught_up[kMaxFibers] = {};
  schedule::InterleavingCoverage coverage;
};
RuntimeState g;

int Fiber() {
  const int current = schedule::Executor::Get().current();
  return current < 0 ? 0 : current;
}

Knowledge* KnowledgeOf(const void* token) {
  uint32_t place =
      static_cast<uint32_t>(reinterpret_cast<uintptr_t>(token) * 0x9E3779B97F4A7C15u >> 40);
  for (uint32_t tries = 0; tries < kTokens; ++tries, ++place) {
    TokenEntry& entry = tokens[place % kTokens];
    if (entry.run != g.run) {
      entry = {token, g.run, Knowledge()};
      return &entry.knowledge;
    }
    if (entry.token == token) return &entry.knowledge;
  }
  // More than there are objects in a run: two of them order each other's users too.
  return &tokens[place % kTokens].knowledge;
}

// Sites are few, and looked at often.
uint64_t PlaceOf(uint32_t site) {
  struct Known {
    uint32_t site;
    uint64_t place;
  };
  static Known known[1024];
  Known& entry = known[site * 0x9E3779B1u >> 22];
  if (entry.site != site) entry = {site, g.coverage.Place(AddressOf(site))};
  return entry.place;
}

void ForgetUnloadedModules() {
  for (int i = 0; i < watched_count;) {
    Module module;
    const auto data = reinterpret_cast<uintptr_t>(watched[i].data);
    if (FindModule(data, &module) && module.load_address == watched[i].load_address) {
      ++i;
      continue;
    }
    TheEngine().shadow().RemoveRange(watched[i].data);
    watched[i] = watched[--watched_count];
  }
}

void WatchNewModules() {
  ForgetUnloadedModules();
  for (int i = 0; i < new_module_count; ++i) {
    Module module;
    if (!FindModule(new_modules[i], &module) || module.data_begin == 0) continue;
    bool known = false;
    for (int k = 0; k < watched_count; ++k) {
      known |= watched[k].load_address == module.load_address;
    }
    if (known || watched_count == kMaxModules) continue;
    void* data = reinterpret_cast<void*>(module.data_begin);
    TheEngine().shadow().AddRange(data, module.data_end - module.data_begin);
    watched[watched_count++] = {module.load_address, data};
  }
  new_module_count = 0;
}

}  // namespace

Engine& TheEngine() {
  alignas(Engine) static char storage[sizeof(Engine)];
  static Engine* const engine = new (storage) Engine(Model::kRc11);
  return *engine;
}

void NoteModule(uintptr_t site) {
  // One call for each object file: mostly the same module again.
  Module last;
  if (new_module_count > 0 && FindModule(new_modules[new_module_count - 1], &last) &&
      site >= last.begin && site < last.end) {
    return;
  }
  if (new_module_count < static_cast<int>(sizeof(new_modules) / sizeof(new_modules[0]))) {
    new_modules[new_module_count++] = site;
  }
}

void WatchMemory(void* begin, size_t bytes) { TheEngine().shadow().AddRange(begin, bytes); }

void UnwatchMemory(void* begin) { TheEngine().shadow().RemoveRange(begin); }

void SetState(const void* begin, size_t bytes, memory::State state) {
  Shadow& shadow = TheEngine().shadow();
  const ptrdiff_t word = shadow.Find(begin);
  if (word >= 0) shadow.SetState(word, (bytes + 7) / 8, state);
}

void NewObjects(const void* begin, size_t bytes) {
  const ptrdiff_t word = TheEngine().shadow().Find(begin);
  if (word >= 0) TheEngine().NewObjects(word, (bytes + 7) / 8);
}

void BeginRun(const RunSetup& setup) {
  if (new_module_count != 0) WatchNewModules();
  Engine& engine = TheEngine();
  engine.NewRun();
  // The main context makes and looks at things as if it were alone, which it is.
  engine.SetChooser(nullptr);
  g.chooser = setup.chooser;
  internal::access_point = setup.access_point;
  internal::engine = &engine;
  internal::full_barrier = 0;
  internal::active = true;
  ++g.run;
  g.returned = Clock();
  for (int& count : g.caught_up) count = 0;
}

void BeginFibers() {
  TheEngine().machine().HappensBeforeAll(0);
  TheEngine().SetChooser(g.chooser);
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

void EndRun() { internal::active = false; }

bool LookAgain() {
  if (!internal::active) return false;
  const int fiber = Fiber();
  Engine& engine = TheEngine();
  Machine& machine = engine.machine();
  const bool may_be_old = engine.deviation_count() != g.caught_up[fiber];
  g.caught_up[fiber] = engine.deviation_count();
  // Waiting takes longer than any store stays in a buffer.
  for (int f = 0; f < kMaxFibers && may_be_old; ++f) {
    while (machine.HasBuffered(f)) machine.Flush(f);
  }
  machine.CatchUp(fiber);
  return may_be_old;
}

void EndFiber() {
  if (internal::active) TheEngine().machine().CatchUp(Fiber());
}

void BeginCall() {
  if (internal::active) TheEngine().machine().SeeOrder(Fiber(), g.returned);
}

void EndCall() {
  if (internal::active) TheEngine().machine().PublishOrder(Fiber(), &g.returned);
}

void BeginInterlocked() {
  if (!internal::active) return;
  const int fiber = Fiber();
  TheEngine().Fence(fiber, Order::kSeqCst);
  internal::full_barrier = static_cast<uint8_t>(internal::full_barrier | 1u << fiber);
}

void AcquireToken(const void* token) {
  if (!internal::active) return;
  TheEngine().machine().Acquire(Fiber(), *KnowledgeOf(token));
}

void ReleaseToken(const void* token) {
  if (!internal::active) return;
  TheEngine().machine().Release(Fiber(), KnowledgeOf(token));
}

void StoreDocumented(volatile void* address, int size, uint64_t value, uintptr_t site) {
  TheEngine().StoreWithoutRace(Fiber(), address, size, value, static_cast<uint32_t>(site));
}

void SetReadsFromCoverage(uint8_t* counters, uint32_t size) { g.coverage.Set(counters, size); }

void NoteReadsFrom(const ReadsFrom& read, int reader, uint32_t site) {
  if (!g.coverage.on() || read.writer == reader || read.writer == kNoFiber) return;
  constexpr uint16_t kNoObject = UINT16_MAX;  // apart from switches in the same counters
  g.coverage.Count(PlaceOf(read.site), PlaceOf(site), kNoObject);
}

}  // namespace cancelsafe::memory
