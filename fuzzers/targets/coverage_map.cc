// See coverage_map.h.
#include "fuzzers/targets/coverage_map.h"

#include <cstring>

extern "C" {
// AFL++'s runtime, where it is linked; the first by way of afl_area.S.
extern uint8_t** const cancelsafe_afl_area;
__attribute__((weak)) void __sanitizer_cov_trace_pc_guard_init(uint32_t* begin, uint32_t* end);
}

namespace cancelsafe {
namespace {

// libFuzzer scans this section.
__attribute__((used, section("__libfuzzer_extra_counters"))) uint8_t state_counters[kStateCounters];
__attribute__((used, section("__libfuzzer_extra_counters"))) uint8_t
    interleaving_counters[kInterleavingCounters];

struct Module {
  uint8_t* begin;
  size_t size;
};
constexpr int kModulesMax = 16;
Module modules[kModulesMax];
int module_count = 0;

// A place in the map for each counter: AFL++ numbers them one after the other, as it
// does those of the code that its own compiler makes.
uint32_t places[kStateCounters + kInterleavingCounters + kInlineCountersMax];

// Before the runtime makes its map, so that it has the right size.
__attribute__((constructor(2))) void ReservePlaces() {
  if (UnderAfl())
    __sanitizer_cov_trace_pc_guard_init(places, places + sizeof places / sizeof *places);
}

}  // namespace

uint8_t* StateCounters() { return state_counters; }
uint8_t* InterleavingCounters() { return interleaving_counters; }

bool UnderAfl() { return cancelsafe_afl_area != nullptr; }

void ClearCoverage() {
  if (!UnderAfl()) return;
  memset(state_counters, 0, sizeof state_counters);
  memset(interleaving_counters, 0, sizeof interleaving_counters);
  for (int i = 0; i < module_count; ++i) memset(modules[i].begin, 0, modules[i].size);
}

void PublishCoverage() {
  if (!UnderAfl()) return;
  uint8_t* map = *cancelsafe_afl_area + places[0];
  memcpy(map, state_counters, sizeof state_counters);
  map += sizeof state_counters;
  memcpy(map, interleaving_counters, sizeof interleaving_counters);
  map += sizeof interleaving_counters;
  size_t at = 0;
  for (int i = 0; i < module_count; ++i) {
    const Module& module = modules[i];
    if (at + module.size <= kInlineCountersMax) {
      memcpy(map + at, module.begin, module.size);
    } else {
      for (size_t j = 0; j < module.size; ++j) {
        map[(at + j) % kInlineCountersMax] |= module.begin[j];
      }
    }
    at += module.size;
  }
}

void AddInlineCounters(uint8_t* begin, uint8_t* end) {
  if (begin == end || module_count == kModulesMax) return;
  for (int i = 0; i < module_count; ++i) {
    if (modules[i].begin == begin) return;
  }
  modules[module_count++] = Module{begin, static_cast<size_t>(end - begin)};
}

}  // namespace cancelsafe
