// What kernel code calls beside queues and locks: blocks of memory, the pool,
// assertions, debug output, bug checks. Whatever is a function is the host's
// (kernel/pool.cc, kernel/debugging.cc). Include wdm.h.
#ifndef CANCELSAFE_RUNTIME_H_
#define CANCELSAFE_RUNTIME_H_

#include "ntdef.h"

CANCELSAFE_BEGIN_C

/* ---- Blocks of memory ----------------------------------------------------- */

#define RtlZeroMemory(Destination, Length) ((void)__builtin_memset((Destination), 0, (Length)))
#define RtlSecureZeroMemory(Destination, Length) RtlZeroMemory(Destination, Length)
#define RtlFillMemory(Destination, Length, Fill) \
  ((void)__builtin_memset((Destination), (Fill), (Length)))
#define RtlCopyMemory(Destination, Source, Length) \
  ((void)__builtin_memcpy((Destination), (Source), (Length)))
#define RtlMoveMemory(Destination, Source, Length) \
  ((void)__builtin_memmove((Destination), (Source), (Length)))
#define RtlEqualMemory(One, Other, Length) (!__builtin_memcmp((One), (Other), (Length)))

/* Number of equal bytes at the start of both blocks. */
FORCEINLINE SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length) {
  SIZE_T same = 0;
  while (same < Length && ((const UCHAR *)Source1)[same] == ((const UCHAR *)Source2)[same]) ++same;
  return same;
}

/* ---- The pool -------------------------------------------------------------- */

typedef enum _POOL_TYPE {
  NonPagedPool = 0,
  NonPagedPoolExecute = 0,
  PagedPool = 1,
  NonPagedPoolMustSucceed = 2,
  NonPagedPoolCacheAligned = 4,
  PagedPoolCacheAligned = 5,
  NonPagedPoolNx = 512,
  NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ull
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ull
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ull
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ull
#define POOL_FLAG_NON_PAGED 0x0000000000000040ull
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ull
#define POOL_FLAG_PAGED 0x0000000000000100ull

/* Memory of every kind is the same here, aligned to 16 bytes (to 64 where the cache is
 * named) and filled with 0xa5 where no zeros are promised, so that a run which reads
 * what was not written is the same each time. Null: there is none. At DISPATCH_LEVEL or
 * below; APC_LEVEL or below for paged pool. */
PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
/* Zeroed unless POOL_FLAG_UNINITIALIZED is given. */
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
/* A bug check (BAD_POOL_CALLER) if `P` is not the start of a block, or was freed with a
 * tag that is not its own. */
VOID NTAPI ExFreePool(PVOID P);
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag);

/* ---- Assertions, debug output, bug checks --------------------------------- */

/* A checked build, unless the source is compiled with -DDBG=0: an assertion that fails
 * in an implementation under test is a finding. */
#ifndef DBG
#define DBG 1
#endif

#define BAD_POOL_CALLER 0x000000c2u
#define IRQL_NOT_LESS_OR_EQUAL 0x0000000au
#define MULTIPLE_IRP_COMPLETE_REQUESTS 0x00000044u
#define CANCEL_STATE_IN_COMPLETED_IRP 0x00000048u
#define KMODE_EXCEPTION_NOT_HANDLED 0x0000001eu
#define KERNEL_SECURITY_CHECK_FAILURE 0x00000139u
#define MANUALLY_INITIATED_CRASH 0x000000e2u

/* All of these end the process by a signal, which the tools report as a crash. */
DECLSPEC_NORETURN VOID NTAPI KeBugCheck(ULONG BugCheckCode);
DECLSPEC_NORETURN VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                                          ULONG_PTR BugCheckParameter2,
                                          ULONG_PTR BugCheckParameter3,
                                          ULONG_PTR BugCheckParameter4);
VOID NTAPI RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PCHAR Message);
VOID NTAPI DbgBreakPoint(VOID);
#define DbgBreakPointWithStatus(Status) DbgBreakPoint()
#define __debugbreak() __builtin_trap()

/* Accepted and dropped: there is no debugger to read it, and a fuzz target runs a
 * routine some 50,000 times a second. STATUS_SUCCESS. */
ULONG DbgPrint(const CHAR *Format, ...);
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, const CHAR *Format, ...);

#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3

#define CANCELSAFE_ASSERT(condition, text, message)                                                \
  ((void)((condition) ? 0                                                                          \
                      : (RtlAssert((PVOID)(ULONG_PTR)(text), (PVOID)(ULONG_PTR)__FILE__, __LINE__, \
                                   (PCHAR)(ULONG_PTR)(message)),                                   \
                         0)))

#if DBG
#define ASSERT(condition) CANCELSAFE_ASSERT(condition, #condition, NULL)
#define ASSERTMSG(message, condition) CANCELSAFE_ASSERT(condition, #condition, message)
#define RTL_SOFT_ASSERT(condition) CANCELSAFE_ASSERT(condition, #condition, NULL)
#define RTL_VERIFY(condition) CANCELSAFE_ASSERT(condition, #condition, NULL)
#define KdPrint(arguments) ((void)DbgPrint arguments)
#define KdPrintEx(arguments) ((void)DbgPrintEx arguments)
#define KdBreakPoint() DbgBreakPoint()
#define PAGED_CODE() CANCELSAFE_ASSERT(KeGetCurrentIrql() <= APC_LEVEL, "PAGED_CODE()", NULL)
#else
#define ASSERT(condition) ((void)0)
#define ASSERTMSG(message, condition) ((void)0)
#define RTL_SOFT_ASSERT(condition) ((void)0)
#define RTL_VERIFY(condition) ((void)(condition))
#define KdPrint(arguments) ((void)0)
#define KdPrintEx(arguments) ((void)0)
#define KdBreakPoint() ((void)0)
#define PAGED_CODE() ((void)0)
#endif
#define NT_ASSERT(condition) ASSERT(condition)
#define NT_ASSERTMSG(message, condition) ASSERTMSG(message, condition)
#define NT_VERIFY(condition) RTL_VERIFY(condition)
#define NT_FRE_ASSERT(condition) CANCELSAFE_ASSERT(condition, #condition, NULL)
#define PAGED_CODE_LOCKED() ((void)0)

CANCELSAFE_END_C

#endif /* CANCELSAFE_RUNTIME_H_ */
