// Which memory is watched, and the objects that end in it; see runtime.h.
#include "fuzzers/memory/runtime.h"
#include "fuzzers/memory/runtime_state.h"

namespace cancelsafe::memory {

using internal::Fiber;

namespace {

// The newest endings of objects in this run.
constexpr uint32_t kEndings = 256;
Ending endings[kEndings];
uint32_t ending_count = 0;
CallStack bad_access_stack;
bool bad_access_noted = false;

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

}  // namespace

void internal::ForgetEndings() {
  ending_count = 0;
  bad_access_noted = false;
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

}  // namespace cancelsafe::memory
