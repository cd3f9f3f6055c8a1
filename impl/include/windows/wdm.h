// The DDK's header, and what it lacks.
// The DDK's is an instruction, which is not seen (driver_prefix.h).
#define KeMemoryBarrier CancelsafeDdkMemoryBarrier
#include_next <wdm.h>
#undef KeMemoryBarrier
#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#include <driver_gaps.h>
