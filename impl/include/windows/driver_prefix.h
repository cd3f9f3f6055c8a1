// Included before every source of a driver built for this host: the DDK's inline routines
// that read registers and pages of the kernel call services instead. Nothing else is here;
// what the DDK lacks is in driver_gaps.h.
#ifndef CANCELSAFE_WINDOWS_DRIVER_PREFIX_H_
#define CANCELSAFE_WINDOWS_DRIVER_PREFIX_H_

#include <intrin.h>

#ifdef __cplusplus
extern "C" {
#endif
unsigned long long CancelsafeReadCr8(void);
void CancelsafeWriteCr8(unsigned long long irql);
unsigned long long CancelsafeReadGs(unsigned long offset);
#ifdef __cplusplus
}
#endif
#define __readcr8() CancelsafeReadCr8()
#define __writecr8(irql) CancelsafeWriteCr8(irql)
#define __readgsqword(offset) CancelsafeReadGs(offset)
#define __readgsword(offset) ((unsigned short)CancelsafeReadGs(offset))

// Barriers as instructions are not seen: a fence of the language is the same, and is.
#undef _mm_mfence
#define _mm_mfence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#undef __faststorefence
#define __faststorefence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

// Annotations that come from headers which drivers do not include themselves.
#define _IRQL_requires_max_(irql)
#define _IRQL_requires_min_(irql)
#define _IRQL_requires_(irql)
#define _IRQL_requires_same_
#define _IRQL_raises_(irql)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(kind, param)
#define _IRQL_restores_global_(kind, param)
#define _IRQL_always_function_max_(irql)
#define _IRQL_always_function_min_(irql)
#define _IRQL_uses_cancel_
#define _IRQL_is_cancel_
#define _Dispatch_type_(type)
#define _Kernel_clear_do_init_(yes)
#define _Kernel_float_saved_
#define _Kernel_float_restored_
#define _Kernel_requires_resource_held_(kind)
#define _Kernel_acquires_resource_(kind)
#define _Kernel_releases_resource_(kind)
#define _IRQL_requires_max_defined_
#define _Requires_lock_not_held_(lock)
#define _Requires_no_locks_held_
#include <concurrencysal.h>
#include <driverspecs.h>
#include <sal.h>

#endif  // CANCELSAFE_WINDOWS_DRIVER_PREFIX_H_
