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

uint32_t TracedCode::SeenEver() { return seen_ever; }

}  // namespace cancelsafe

#ifdef CANCELSAFE_SANITIZER_NONE

// Shared objects under test find this in the program that loads them.
extern "C" __attribute__((visibility("default"))) void __sanitizer_cov_trace_pc();
void __sanitizer_cov_trace_pc() {
  cancelsafe::Note(reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
}

// Traced code is linked with --wrap (variants.cc), since this program has hooks of the plain
// names already, for engines that follow comparisons.
#define CANCELSAFE_COMPARED(name, type)                                         \
  extern "C" __attribute__((visibility("default"))) void name(type a, type b);  \
  void name(type a, type b) {                                                   \
    const uintptr_t happened = a < b    ? cancelsafe::TracedCode::kLess         \
                               : a == b ? cancelsafe::TracedCode::kEqual        \
                                        : cancelsafe::TracedCode::kGreater;     \
    cancelsafe::Note(reinterpret_cast<uintptr_t>(__builtin_return_address(0)) | \
                     happened << cancelsafe::TracedCode::kAddressBits);         \
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
// Each case of a switch begins a block.
extern "C" __attribute__((visibility("default"))) void __wrap___sanitizer_cov_trace_switch(
    uint64_t, uint64_t*);
void __wrap___sanitizer_cov_trace_switch(uint64_t, uint64_t*) {}

#endif
