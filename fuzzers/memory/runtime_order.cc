// What orders memory without being an access: tokens and locks of the harness, calls, fences
// by documentation, and waiting; see runtime.h.
#include "fuzzers/memory/runtime.h"
#include "fuzzers/memory/runtime_state.h"

namespace cancelsafe::memory {

using internal::Fiber;
using internal::PointToFlush;
using internal::run_state;

namespace {

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

// The place of the token's entry, or of the free one that it would get.
TokenEntry& FindToken(const void* token) {
  uint32_t place =
      static_cast<uint32_t>(reinterpret_cast<uintptr_t>(token) * 0x9E3779B97F4A7C15u >> 40);
  for (uint32_t tries = 0; tries < kTokens; ++tries, ++place) {
    TokenEntry& entry = tokens[place % kTokens];
    if (entry.run != run_state.run || entry.token == token) return entry;
  }
  // More than there are objects in a run: two of them order each other's users too.
  return tokens[place % kTokens];
}

// Null if nothing has released it in this run.
const TokenEntry* EntryOf(const void* token) {
  const TokenEntry& entry = FindToken(token);
  return entry.run == run_state.run ? &entry : nullptr;
}

TokenEntry& Release(const void* token, int fiber) {
  TokenEntry& entry = FindToken(token);
  const bool first = entry.run != run_state.run;
  if (first) {
    entry.token = token;
    entry.run = run_state.run;
    entry.last = -1;
  }
  TheEngine().machine().Release(fiber, &entry.knowledge, first);
  return entry;
}

}  // namespace

void DrainStores() {
  Machine& machine = TheEngine().machine();
  if (!internal::active || !machine.has_buffers()) return;
  const int fiber = Fiber();
  while (machine.HasBuffered(fiber)) {
    PointToFlush(0);
    if (machine.HasBuffered(fiber)) machine.Flush(fiber);
  }
}

bool LookAgain() {
  if (!internal::active) return false;
  const int fiber = Fiber();
  Engine& engine = TheEngine();
  Machine& machine = engine.machine();
  const bool may_be_old = engine.deviation_count() != run_state.caught_up[fiber];
  run_state.caught_up[fiber] = engine.deviation_count();
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
  if (internal::active) TheEngine().machine().SeeOrder(Fiber(), run_state.returned);
}

void EndCall() {
  DrainStores();
  if (internal::active) TheEngine().machine().PublishOrder(Fiber(), &run_state.returned);
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

}  // namespace cancelsafe::memory
