// The base types, list macros and calling-convention words of the documented
// kernel headers, with amd64 sizes on an LP64 host. C and C++17. Nothing here
// knows about IRPs or queues; that is wdm.h.
#ifndef CANCELSAFE_NTDEF_H_
#define CANCELSAFE_NTDEF_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define CANCELSAFE_BEGIN_C extern "C" {
#define CANCELSAFE_END_C }
#define CANCELSAFE_STATIC_ASSERT(e, m) static_assert(e, m)
#else
#define EXTERN_C extern
#define CANCELSAFE_BEGIN_C
#define CANCELSAFE_END_C
#define CANCELSAFE_STATIC_ASSERT(e, m) _Static_assert(e, m)
#endif

#include "sal.h"

/* Words of other compilers and processors that have no meaning for this host. */
#define NTAPI
#define FASTCALL
#define FLTAPI
#define NTSYSAPI
#define NTSYSCALLAPI
#define NTKERNELAPI
#define NTHALAPI
#define DECLSPEC_IMPORT
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define UNALIGNED
#define RESTRICTED_POINTER
#ifndef __stdcall
#define __stdcall
#define __cdecl
#define __fastcall
#endif

#define DECLSPEC_ALIGN(bytes) __attribute__((aligned(bytes)))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define NOTHING
#define C_ASSERT(condition) CANCELSAFE_STATIC_ASSERT(condition, #condition)

/* Inlined into every caller: a guest's copy must never be replaced by the
 * host's, which may be compiled without the guest's instrumentation. */
#define FORCEINLINE static __inline__ __attribute__((always_inline, unused))
#define CFORCEINLINE FORCEINLINE
#ifndef __forceinline
#define __forceinline __inline__ __attribute__((always_inline))
#endif

#ifndef VOID
#define VOID void
#endif
typedef void *PVOID, *HANDLE;
typedef const void *PCVOID;
typedef char CHAR, *PCHAR, *PSTR;
typedef const char *PCSTR;
typedef signed char CCHAR, SCHAR;
typedef unsigned char UCHAR, *PUCHAR;
typedef UCHAR BOOLEAN, *PBOOLEAN;
typedef short SHORT, CSHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef uint16_t WCHAR, *PWCHAR, *PWSTR;
typedef const WCHAR *PCWSTR;
typedef int INT, *PINT;
typedef unsigned UINT, *PUINT;
typedef int32_t LONG, *PLONG, INT32;
typedef uint32_t ULONG, *PULONG, UINT32, ULONG32;
typedef long long LONGLONG, LONG64, *PLONG64, *PLONGLONG, INT64;
typedef unsigned long long ULONGLONG, ULONG64, *PULONG64, *PULONGLONG, UINT64;
typedef intptr_t LONG_PTR, INT_PTR, *PLONG_PTR;
typedef uintptr_t ULONG_PTR, UINT_PTR, *PULONG_PTR;
typedef ULONG_PTR SIZE_T, KAFFINITY, *PSIZE_T;
typedef LONG_PTR SSIZE_T;
typedef LONG NTSTATUS, *PNTSTATUS;
typedef UCHAR KIRQL, *PKIRQL;
typedef CCHAR KPROCESSOR_MODE;
typedef ULONG DEVICE_TYPE, ACCESS_MASK;

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif
#define MAXULONG 0xffffffffu
#define MAXLONG 0x7fffffff
#define MAXUSHORT 0xffffu
#define MAXUCHAR 0xffu

typedef enum _MODE { KernelMode, UserMode, MaximumMode } MODE;

typedef union _LARGE_INTEGER {
  __extension__ struct {
    ULONG LowPart;
    LONG HighPart;
  };
  LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef struct _UNICODE_STRING {
  USHORT Length;
  USHORT MaximumLength;
  PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

typedef struct _LIST_ENTRY {
  struct _LIST_ENTRY *Flink;
  struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
  struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define UNREFERENCED_PARAMETER(P) ((void)(P))
#define DBG_UNREFERENCED_PARAMETER(P) ((void)(P))
#define UNREFERENCED_LOCAL_VARIABLE(V) ((void)(V))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(V) ((void)(V))
#define ARGUMENT_PRESENT(Argument) ((Argument) != NULL)
#define RTL_NUMBER_OF(Array) (sizeof(Array) / sizeof((Array)[0]))
#define ARRAYSIZE(Array) RTL_NUMBER_OF(Array)
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define ROUND_UP(Value, Alignment) (((Value) + (Alignment) - 1) & ~((Alignment) - 1))
#define ALIGN_DOWN_BY(Value, Alignment) ((ULONG_PTR)(Value) & ~((ULONG_PTR)(Alignment) - 1))
#define ALIGN_UP_BY(Value, Alignment) ALIGN_DOWN_BY((ULONG_PTR)(Value) + (Alignment) - 1, Alignment)
#define PtrToUlong(Pointer) ((ULONG)(ULONG_PTR)(Pointer))
#define UlongToPtr(Number) ((PVOID)(ULONG_PTR)(ULONG)(Number))
#define Add2Ptr(Pointer, Bytes) ((PVOID)((PUCHAR)(Pointer) + (Bytes)))
/* As on the real system, macros, and left out of C++, whose library has the names. */
#if !defined(__cplusplus) && !defined(NOMINMAX) && !defined(min)
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#define CONTAINING_RECORD(address, type, field) \
  ((type *)((PCHAR)(address) - (ULONG_PTR)offsetof(type, field)))

FORCEINLINE VOID InitializeListHead(PLIST_ENTRY ListHead) {
  ListHead->Flink = ListHead->Blink = ListHead;
}

FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead) {
  return (BOOLEAN)(ListHead->Flink == ListHead);
}

/* TRUE if the list is empty afterwards, as documented. */
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry) {
  PLIST_ENTRY next = Entry->Flink;
  PLIST_ENTRY previous = Entry->Blink;
  previous->Flink = next;
  next->Blink = previous;
  return (BOOLEAN)(next == previous);
}

FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY entry = ListHead->Flink;
  (void)RemoveEntryList(entry);
  return entry;
}

FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY entry = ListHead->Blink;
  (void)RemoveEntryList(entry);
  return entry;
}

FORCEINLINE VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY last = ListHead->Blink;
  Entry->Flink = ListHead;
  Entry->Blink = last;
  last->Flink = Entry;
  ListHead->Blink = Entry;
}

FORCEINLINE VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY first = ListHead->Flink;
  Entry->Flink = first;
  Entry->Blink = ListHead;
  first->Blink = Entry;
  ListHead->Flink = Entry;
}

/* `ListToAppend` has no head: it is the first entry of a ring. */
FORCEINLINE VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend) {
  PLIST_ENTRY last = ListHead->Blink;
  ListHead->Blink->Flink = ListToAppend;
  ListHead->Blink = ListToAppend->Blink;
  ListToAppend->Blink->Flink = ListHead;
  ListToAppend->Blink = last;
}

FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}

/* NULL if the list is empty. */
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  if (first != NULL) ListHead->Next = first->Next;
  return first;
}

#endif /* CANCELSAFE_NTDEF_H_ */
