// See runtime.h.
#include "fuzzers/memory/runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "fuzzers/memory/modules.h"
#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/interleaving_coverage.h"

namespace cancelsafe::memory {

namespace internal {
Engine* engine = nullptr;
bool active = false;
bool in_passing = false;
uint8_t access_point = 0;
uint8_t full_barrier = 0;
}  // namespace internal

namespace {

// Modules that have called __tsan_init and whose variables are not watched yet. They come
// before any constructor of ours, so this is all that can be done with them then.
constexpr int kMaxModules = 12;
uintptr_t new_modules[64];
int new_module_count = 0;

// Where the modules that have ever called it were loaded.
uintptr_t instrumented[kMaxModules];
int instrumented_count = 0;

struct WatchedModule {
  uintptr_t load_address;
  uintptr_t data_begin;
  uintptr_t data_end;
};
WatchedModule watched[kMaxModules];
int watched_count = 0;

// What the harness orders by tokens, in this run: open addressing, by address.
constexpr uint32_t kTokens = 1024;
struct TokenEntry {
  const void* token;
  uint32_t run;
  int last;         // with store buffers: the fiber that gave this lock last, or -1
  uint32_t stores;  // that this had put into its buffer by then
  Knowledge knowledge;
};
TokenEntry tokens[kTokens];

// The newest endings of objects in this run.
constexpr uint32_t kEndings = 256;
Ending endings[kEndings];
uint32_t ending_count = 0;
CallStack bad_access_stack;
bool bad_access_noted = false;

struct RuntimeState {
  uint32_t run = 0;
  Chooser* chooser = nullptr;  // of what the fibers do
  Clock returned;              // what calls that have returned had seen
  // Deviations of the run that each fiber has caught up with.
  int caught_up[kMaxFibers] = {};
  schedule::InterleavingCoverage coverage;
};
RuntimeState g;

// A module that is not watched would hide what it does.
[[noreturn]] void Fail(const char* what) {
  fprintf(stderr, "cancelsafe: memory engine: %s\n", what);
  abort();
}

int Fiber() {
  const int current = schedule::Executor::Get().current();
  return current < 0 ? 0 : current;
}

// The callers of the caller. What is instrumented and what calls it keeps its frame
// pointer; a stack grows downwards, and none here is larger than the limit.
__attribute__((noinline)) void TakeStack(CallStack* stack) {
  constexpr uintptr_t kStackBytesMax = 1 << 20;
  const auto* frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
  const uintptr_t lowest = reinterpret_cast<uintptr_t>(frame);
  *stack = CallStack();
  for (uintptr_t& place : stack->frame) {
    const uintptr_t next = frame[0];
    if (frame[1] == 0) return;
    place = frame[1];
    if (next % 8 != 0 || next <= reinterpret_cast<uintptr_t>(frame) ||
        next - lowest > kStackBytesMax) {
      return;
    }
    frame = reinterpret_cast<const uintptr_t*>(next);
  }
}

// The place of the token's entry, or of the free one that it would get.
TokenEntry& FindToken(const void* token) {
  uint32_t place =
      static_cast<uint32_t>(reinterpret_cast<uintptr_t>(token) * 0x9E3779B97F4A7C15u >> 40);
  for (uint32_t tries = 0; tries < kTokens; ++tries, ++place) {
    TokenEntry& entry = tokens[place % kTokens];
    if (entry.run != g.run || entry.token == token) return entry;
  }
  // More than there are objects in a run: two of them order each other's users too.
  return tokens[place % kTokens];
}

// Null if nothing has released it in this run.
const TokenEntry* EntryOf(const void* token) {
  const TokenEntry& entry = FindToken(token);
  return entry.run == g.run ? &entry : nullptr;
}

TokenEntry& Release(const void* token, int fiber) {
  TokenEntry& entry = FindToken(token);
  const bool first = entry.run != g.run;
  if (first) {
    entry.token = token;
    entry.run = g.run;
    entry.last = -1;
  }
  TheEngine().machine().Release(fiber, &entry.knowledge, first);
  return entry;
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

// The preemption point before a store leaves a buffer, where accesses are points.
void PointToFlush(uintptr_t site) {
  if (internal::access_point == 0) return;
  schedule::Executor::Get().Point(internal::access_point, nullptr, site);
}

// What a complete search has to know of a store that reaches memory.
void TellFlush(const Location& location) {
  schedule::Executor::Get().TouchMemory(location.address(), static_cast<size_t>(location.size()),
                                        true);
}

void ForgetUnloadedModules() {
  for (int i = 0; i < watched_count;) {
    Module module;
    // Another one may have taken its place.
    if (FindModule(watched[i].data_begin, &module) &&
        module.load_address == watched[i].load_address &&
        module.data_begin == watched[i].data_begin && module.data_end == watched[i].data_end) {
      ++i;
      continue;
    }
    TheEngine().shadow().RemoveRange(reinterpret_cast<void*>(watched[i].data_begin));
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
    // It may lie where one like it lay, to the byte: what ended in that has not ended here.
    if (known) {
      SetState(reinterpret_cast<void*>(module.data_begin), module.data_end - module.data_begin,
               State::kLive);
    }
    if (known) continue;
    if (watched_count == kMaxModules) Fail("too many instrumented modules are loaded");
    TheEngine().shadow().AddRange(reinterpret_cast<void*>(module.data_begin),
                                  module.data_end - module.data_begin);
    watched[watched_count++] = {module.load_address, module.data_begin, module.data_end};
  }
  new_module_count = 0;
}

void NoteInstrumented(uintptr_t site) {
  Module module;
  if (IsInstrumented(site) || instrumented_count == kMaxModules) return;
  if (FindModule(site, &module)) instrumented[instrumented_count++] = module.load_address;
}

}  // namespace

Engine& TheEngine() {
  alignas(Engine) static char storage[sizeof(Engine)];
  static Engine* const engine = new (storage) Engine(Model::kRc11);
  return *engine;
}

bool IsInstrumented(uintptr_t code) {
  Module module;
  if (!FindModule(code, &module)) return false;
  const uintptr_t* const end = instrumented + instrumented_count;
  return std::find<const uintptr_t*>(instrumented, end, module.load_address) != end;
}

void NoteModule(uintptr_t site) {
  NoteInstrumented(site);
  // One call for each object file: mostly the same module again.
  Module last;
  if (new_module_count > 0 && FindModule(new_modules[new_module_count - 1], &last) &&
      site >= last.begin && site < last.end) {
    return;
  }
  if (new_module_count == static_cast<int>(sizeof(new_modules) / sizeof(new_modules[0]))) {
    Fail("too many instrumented modules were loaded at once");
  }
  new_modules[new_module_count++] = site;
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

void DrainStores() {
  Machine& machine = TheEngine().machine();
  if (!internal::active || !machine.has_buffers()) return;
  const int fiber = Fiber();
  while (machine.HasBuffered(fiber)) {
    PointToFlush(0);
    if (machine.HasBuffered(fiber)) machine.Flush(fiber);
  }
}

void EndObject(const void* begin, size_t bytes, State state, uintptr_t site) {
  Engine& engine = TheEngine();
  const ptrdiff_t word = engine.shadow().Find(begin);
  if (word < 0) return;
  const size_t words = (bytes + 7) / 8;
  if (internal::active && site != 0) {
    engine.EndObjects(Fiber(), word, words, state, static_cast<uint32_t>(site));
  } else {
    engine.shadow().SetState(word, words, state);
  }
  if (!internal::active) return;
  Ending& ending = endings[ending_count++ % kEndings];
  ending.begin = reinterpret_cast<uintptr_t>(begin);
  ending.end = ending.begin + bytes;
  ending.state = state;
  ending.fiber = Fiber();
  TakeStack(&ending.stack);
}

const Ending* FindEnding(uintptr_t address) {
  for (uint32_t age = 1; age <= kEndings && age <= ending_count; ++age) {
    const Ending& ending = endings[(ending_count - age) % kEndings];
    if (address >= ending.begin && address < ending.end) return &ending;
  }
  return nullptr;
}

const CallStack& BadAccessStack() { return bad_access_stack; }

void NoteBadAccess() {
  if (bad_access_noted) return;
  bad_access_noted = true;
  TakeStack(&bad_access_stack);
}

void BeginRun(const RunSetup& setup) {
  if (new_module_count != 0) WatchNewModules();
  Engine& engine = TheEngine();
  engine.NewRun();
  // The main context makes and looks at things as if it were alone, which it is.
  engine.SetChooser(nullptr);
  engine.SetFlushWatcher(&TellFlush);
  g.chooser = setup.chooser;
  internal::access_point = setup.access_point;
  internal::engine = &engine;
  internal::full_barrier = 0;
  internal::active = true;
  internal::in_passing = setup.access_point == 0;
  ++g.run;
  g.returned = Clock();
  for (int& count : g.caught_up) count = 0;
  ending_count = 0;
  bad_access_noted = false;
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

void EndRun() { internal::active = internal::in_passing = false; }

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
  DrainStores();
  if (internal::active) TheEngine().machine().CatchUp(Fiber());
}

void BeginCall() {
  if (internal::active) TheEngine().machine().SeeOrder(Fiber(), g.returned);
}

void EndCall() {
  DrainStores();
  if (internal::active) TheEngine().machine().PublishOrder(Fiber(), &g.returned);
}

void BeginInterlocked() {
  if (!internal::active) return;
  const int fiber = Fiber();
  TellSeqCst();
  TheEngine().Fence(fiber, Order::kSeqCst);
  internal::full_barrier = static_cast<uint8_t>(internal::full_barrier | 1u << fiber);
}

void AcquireToken(const void* token) {
  if (!internal::active) return;
  const TokenEntry* const entry = EntryOf(token);
  if (entry != nullptr) TheEngine().machine().Acquire(Fiber(), entry->knowledge);
}

void ReleaseToken(const void* token) {
  if (internal::active) Release(token, Fiber());
}

void TakeLock(const volatile void* word) {
  if (!internal::active) return;
  const int fiber = Fiber();
  Machine& machine = TheEngine().machine();
  const TokenEntry* const entry = EntryOf(const_cast<const void*>(word));
  if (machine.has_buffers()) {
    machine.BeginUpdate(fiber);
    // The word was seen free, so what was stored before it was is in memory too.
    if (entry != nullptr && entry->last >= 0) machine.FlushFirst(entry->last, entry->stores);
  }
  if (entry != nullptr) machine.Acquire(fiber, entry->knowledge);
}

void GiveLock(const volatile void* word) {
  if (!internal::active) return;
  const int fiber = Fiber();
  TokenEntry& entry = Release(const_cast<const void*>(word), fiber);
  const Machine& machine = TheEngine().machine();
  if (!machine.has_buffers()) return;
  entry.last = fiber;
  entry.stores = machine.BufferedEver(fiber);
}

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
  FlushSome(site);
  executor.Point(internal::access_point, address, site);
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
  if (is_sc && internal::access_point != 0 && TheEngine().model() != Model::kSc) {
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

void SetReadsFromCoverage(uint8_t* counters, uint32_t size) { g.coverage.Set(counters, size); }

void NoteReadsFrom(const ReadsFrom& read, int reader, uint32_t site) {
  if (!g.coverage.on() || read.writer == reader || read.writer == kNoFiber) return;
  constexpr uint16_t kNoObject = UINT16_MAX;  // apart from switches in the same counters
  g.coverage.Count(PlaceOf(read.site), PlaceOf(site), kNoObject);
}

}  // namespace cancelsafe::memory
