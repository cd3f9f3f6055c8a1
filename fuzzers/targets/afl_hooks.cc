// The compiler's coverage hooks in programs for AFL++, whose own runtime has those of
// its own compiler and the ones for comparisons. Code under attack has counters, as it
// has for libFuzzer: counting is inline, and one copy after the run is cheaper than
// a call at each edge. Also for implementations that are loaded.
#include <cstdint>

#include "fuzzers/targets/coverage_map.h"

#define CANCELSAFE_HOOK __attribute__((visibility("default")))

extern "C" {

CANCELSAFE_HOOK void __sanitizer_cov_8bit_counters_init(uint8_t* begin, uint8_t* end);
void __sanitizer_cov_8bit_counters_init(uint8_t* begin, uint8_t* end) {
  cancelsafe::AddInlineCounters(begin, end);
}

CANCELSAFE_HOOK void __sanitizer_cov_pcs_init(const uintptr_t* begin, const uintptr_t* end);
void __sanitizer_cov_pcs_init(const uintptr_t*, const uintptr_t*) {}

// Further hooks of -fsanitize=fuzzer-no-link. Where there is a sanitizer, its runtime
// has them as well.
CANCELSAFE_HOOK __attribute__((weak)) void __sanitizer_cov_trace_pc_indir(uintptr_t) {}
CANCELSAFE_HOOK __attribute__((weak)) void __sanitizer_cov_trace_gep(uintptr_t) {}
CANCELSAFE_HOOK __attribute__((weak)) void __sanitizer_cov_trace_div4(uint32_t) {}
CANCELSAFE_HOOK __attribute__((weak)) void __sanitizer_cov_trace_div8(uint64_t) {}
CANCELSAFE_HOOK __attribute__((weak)) __thread uintptr_t __sancov_lowest_stack;

}  // extern "C"
