// See traced_code.h.
#include "fuzzers/check/traced_code.h"

#include <cstddef>

namespace cancelsafe {
namespace {

constexpr uint32_t kSlots = 1 << 14;
constexpr uint32_t kBlocksMax = kSlots / 2;

struct Slot {
  uintptr_t block = 0;
  uint32_t run = 0;  // the last in which it ran
};

Slot slots[kSlots];
uint32_t seen_ever = 0;
uint32_t run = 1;
uint16_t ran[kBlocksMax];
uint32_t ran_count = 0;
constexpr size_t kStepsMax = 1 << 15;
const uint32_t* clock_now = nullptr;
TracedCode::Watcher* watcher = nullptr;
std::vector<TracedCode::Step> steps;  // of fixed capacity: it must not grow on a fiber

[[maybe_unused]] void Note(uintptr_t block) {
  if (clock_now != nullptr && steps.size() < kStepsMax) steps.push_back({block, *clock_now});
  uint32_t at = static_cast<uint32_t>(block * 0x9E3779B97F4A7C15u >> 40) & (kSlots - 1);
  while (slots[at].block != block) {
    if (slots[at].block == 0) {
      if (seen_ever == kBlocksMax) return;
      slots[at].block = block;
      ++seen_ever;
      break;
    }
    at = (at + 1) & (kSlots - 1);
  }
  if (slots[at].run == run) return;
  slots[at].run = run;
  ran[ran_count++] = static_cast<uint16_t>(at);
}

// What the code that called a hook of ours keeps its frame at: it has frame pointers, and so
// has the hook.
#define CANCELSAFE_CALLERS_FRAME (*static_cast<void* const*>(__builtin_frame_address(0)))

[[maybe_unused]] inline void Tell(TracedCode::Hook hook, uintptr_t place, const void* frame,
                                  const void* accessed) {
  if (watcher != nullptr) watcher->OnHook(hook, place, frame, accessed);
}

}  // namespace

void TracedCode::Clear() {
  ++run;
  ran_count = 0;
}

std::vector<uintptr_t> TracedCode::Blocks() {
  std::vector<uintptr_t> blocks;
  for (uint32_t i = 0; i < ran_count; ++i) blocks.push_back(slots[ran[i]].block);
  return blocks;
}

void TracedCode::KeepOrder(const uint32_t* clock) {
  clock_now = clock;
  if (clock == nullptr) return;
  steps.clear();
  steps.reserve(kStepsMax);
}

const std::vector<TracedCode::Step>& TracedCode::Order() { return steps; }

void TracedCode::SetWatcher(Watcher* wanted) { watcher = wanted; }

uint32_t TracedCode::SeenEver() { return seen_ever; }

}  // namespace cancelsafe

#ifdef CANCELSAFE_SANITIZER_NONE

// Shared objects under test find this in the program that loads them.
extern "C" __attribute__((visibility("default"))) void __sanitizer_cov_trace_pc();
void __sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  cancelsafe::Note(place);
  cancelsafe::Tell(cancelsafe::TracedCode::Hook::kBlock, place, CANCELSAFE_CALLERS_FRAME, nullptr);
}

// Traced code is linked with --wrap (variants.cc), since this program has hooks of the plain
// names already, for engines that follow comparisons.
#define CANCELSAFE_COMPARED(name, type)                                                       \
  extern "C" __attribute__((visibility("default"))) void name(type a, type b);                \
  void name(type a, type b) {                                                                 \
    const uintptr_t happened = a < b    ? cancelsafe::TracedCode::kLess                       \
                               : a == b ? cancelsafe::TracedCode::kEqual                      \
                                        : cancelsafe::TracedCode::kGreater;                   \
    const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));              \
    cancelsafe::Note(place | happened << cancelsafe::TracedCode::kAddressBits);               \
    cancelsafe::Tell(cancelsafe::TracedCode::Hook::kCompare, place, CANCELSAFE_CALLERS_FRAME, \
                     nullptr);                                                                \
  }
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_cmp1, uint8_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_cmp2, uint16_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_cmp4, uint32_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_cmp8, uint64_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_const_cmp1, uint8_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_const_cmp2, uint16_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_const_cmp4, uint32_t)
CANCELSAFE_COMPARED(__wrap___sanitizer_cov_trace_const_cmp8, uint64_t)
#undef CANCELSAFE_COMPARED
#define CANCELSAFE_ACCESSED(name, type, hook)                                  \
  extern "C" __attribute__((visibility("default"))) void name(type* accessed); \
  void name(type* accessed) {                                                  \
    cancelsafe::Tell(cancelsafe::TracedCode::Hook::hook,                       \
                     reinterpret_cast<uintptr_t>(__builtin_return_address(0)), \
                     CANCELSAFE_CALLERS_FRAME, accessed);                      \
  }
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_load1, uint8_t, kLoad)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_load2, uint16_t, kLoad)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_load4, uint32_t, kLoad)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_load8, uint64_t, kLoad)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_load16, __int128, kLoad)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_store1, uint8_t, kStore)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_store2, uint16_t, kStore)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_store4, uint32_t, kStore)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_store8, uint64_t, kStore)
CANCELSAFE_ACCESSED(__wrap___sanitizer_cov_store16, __int128, kStore)
#undef CANCELSAFE_ACCESSED

// Each case of a switch begins a block.
extern "C" __attribute__((visibility("default"))) void __wrap___sanitizer_cov_trace_switch(
    uint64_t, uint64_t*);
void __wrap___sanitizer_cov_trace_switch(uint64_t, uint64_t*) {}

#endif
