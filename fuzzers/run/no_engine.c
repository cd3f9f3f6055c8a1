// Coverage hooks that do nothing, for programs that contain instrumented code but no fuzz
// engine and no sanitizer runtime: replay, tools and tests of the plain build.
#include <stdint.h>

void __sanitizer_cov_8bit_counters_init(uint8_t* start, uint8_t* stop);
// Where the counters of the program itself are, for tools that want to know what a
// run covers; those of shared objects come later and are left out.
uint8_t* cancelsafe_counters_begin = 0;
uint8_t* cancelsafe_counters_end = 0;
void __sanitizer_cov_8bit_counters_init(uint8_t* start, uint8_t* stop) {
  if (cancelsafe_counters_begin != 0) return;
  cancelsafe_counters_begin = start;
  cancelsafe_counters_end = stop;
}
void __sanitizer_cov_pcs_init(const uintptr_t* start, const uintptr_t* stop);
void __sanitizer_cov_pcs_init(const uintptr_t* start, const uintptr_t* stop) {
  (void)start, (void)stop;
}
void __sanitizer_cov_trace_pc_indir(uintptr_t callee);
void __sanitizer_cov_trace_pc_indir(uintptr_t callee) { (void)callee; }
void __sanitizer_cov_trace_switch(uint64_t value, uint64_t* cases);
void __sanitizer_cov_trace_switch(uint64_t value, uint64_t* cases) { (void)value, (void)cases; }
void __sanitizer_cov_trace_gep(uintptr_t index);
void __sanitizer_cov_trace_gep(uintptr_t index) { (void)index; }

#define COMPARE_HOOK(name, type) \
  void name(type a, type b);     \
  void name(type a, type b) { (void)a, (void)b; }
COMPARE_HOOK(__sanitizer_cov_trace_cmp1, uint8_t)
COMPARE_HOOK(__sanitizer_cov_trace_cmp2, uint16_t)
COMPARE_HOOK(__sanitizer_cov_trace_cmp4, uint32_t)
COMPARE_HOOK(__sanitizer_cov_trace_cmp8, uint64_t)
COMPARE_HOOK(__sanitizer_cov_trace_const_cmp1, uint8_t)
COMPARE_HOOK(__sanitizer_cov_trace_const_cmp2, uint16_t)
COMPARE_HOOK(__sanitizer_cov_trace_const_cmp4, uint32_t)
COMPARE_HOOK(__sanitizer_cov_trace_const_cmp8, uint64_t)

void __sanitizer_cov_trace_div4(uint32_t value);
void __sanitizer_cov_trace_div4(uint32_t value) { (void)value; }
void __sanitizer_cov_trace_div8(uint64_t value);
void __sanitizer_cov_trace_div8(uint64_t value) { (void)value; }
// Lowest stack address seen, kept per thread by instrumented code.
__thread uintptr_t __sancov_lowest_stack;
